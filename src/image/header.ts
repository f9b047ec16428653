import { VerydeepError } from '../errors.ts';
import { detectFormat, type ImageFormat } from './format.ts';
import { corruptImage, openImage } from './libvips.ts';
import type { ImageLimits } from './limits.ts';

/** What a file says of itself before anything is decoded. */
export interface ImageHeader {
  readonly format: ImageFormat;
  /** Pixels of one frame as displayed, that is after its EXIF orientation. */
  readonly width: number;
  readonly height: number;
}

/**
 * Reads the header and holds it against the limits; no pixel is decoded. Throws NO_IMAGE, FILE_TOO_LARGE,
 * UNSUPPORTED_IMAGE, CORRUPT_IMAGE, TOO_MANY_PIXELS.
 */
export async function readHeader(bytes: Uint8Array, limits: ImageLimits): Promise<ImageHeader> {
  if (bytes.length === 0) throw new VerydeepError('NO_IMAGE', 'expected an image file, received no bytes');
  if (bytes.length > limits.maxFileBytes) {
    throw new VerydeepError(
      'FILE_TOO_LARGE',
      `expected a file of at most ${limits.maxFileBytes} bytes, received ${bytes.length}`,
    );
  }
  const format = detectFormat(bytes);
  if (format === undefined) {
    throw new VerydeepError(
      'UNSUPPORTED_IMAGE',
      `expected a JPEG, PNG, WebP, AVIF, GIF or TIFF image, received a file that begins with ${beginning(bytes)}`,
    );
  }
  // Without libvips' own limit on pixels here: its error would not say how many there are.
  const metadata = await openImage(bytes)
    .metadata()
    .catch((error: unknown) => {
      throw corruptImage(format, error);
    });
  const { width, height } = metadata.autoOrient;
  if (width * height > limits.maxPixels) {
    throw new VerydeepError(
      'TOO_MANY_PIXELS',
      `expected an image of at most ${limits.maxPixels} pixels, received ${width} x ${height} = ${width * height}`,
    );
  }
  return { format, width, height };
}

function beginning(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
