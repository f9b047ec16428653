import { VerydeepError } from '../errors.ts';
import { detectFormat, type ImageFormat } from './format.ts';
import { openImage } from './libvips.ts';
import { fileTooLarge, type ImageLimits } from './limits.ts';
import { withOwnReason } from './own-reason.ts';
import { inspectVariant } from './variants/inspect.ts';
import { structureLimits, type Variant } from './variants/variant.ts';

/** What a file says of itself before anything is decoded. */
export interface ImageHeader {
  readonly format: ImageFormat;
  /** Pixels of one frame as displayed, that is after its EXIF orientation. */
  readonly width: number;
  readonly height: number;
  readonly variant: Variant;
  /** Samples of more than 8 bits with a colour profile, which sharp does not bring to sRGB by itself. */
  readonly deepProfile?: 'grey' | 'colour';
}

/**
 * What needs no decoder: there are bytes, not too many, of a format that is decoded. Throws NO_IMAGE, FILE_TOO_LARGE,
 * UNSUPPORTED_IMAGE.
 */
export function checkFile(bytes: Uint8Array, { maxFileBytes }: ImageLimits): ImageFormat {
  if (bytes.length === 0) throw new VerydeepError('NO_IMAGE', 'expected an image file, received no bytes');
  if (bytes.length > maxFileBytes) {
    throw fileTooLarge(maxFileBytes, bytes.length);
  }
  const format = detectFormat(bytes);
  if (format === undefined) {
    throw new VerydeepError(
      'UNSUPPORTED_IMAGE',
      `expected a JPEG, PNG, WebP, AVIF, GIF or TIFF image, received a file that begins with ${beginning(bytes)}`,
    );
  }
  return format;
}

/**
 * Reads the header and holds it against the limits; no pixel is decoded. Throws what {@link checkFile} throws,
 * UNSUPPORTED_IMAGE for variants, CORRUPT_IMAGE, TOO_MANY_PIXELS, IMAGE_TOO_COMPLEX.
 */
export async function readHeader(bytes: Uint8Array, limits: ImageLimits): Promise<ImageHeader> {
  const format = checkFile(bytes, limits);
  const variant = inspectVariant(format, bytes);
  const name = format.toUpperCase();
  if (variant.unsupported !== undefined) {
    const message = `expected a common kind of ${name}, received one ${variant.unsupported}`;
    throw new VerydeepError('UNSUPPORTED_IMAGE', message);
  }
  if (variant.excess !== undefined)
    throw new VerydeepError('IMAGE_TOO_COMPLEX', `${name}: ${variant.excess}`);
  // Without libvips' own limit on pixels here: its error would not say how many there are.
  const metadata = await withOwnReason(format, () => openImage(variant.bytes ?? bytes).metadata());
  const { width, height } = metadata.autoOrient;
  if (width * height > limits.maxPixels) {
    throw new VerydeepError(
      'TOO_MANY_PIXELS',
      `expected an image of at most ${limits.maxPixels} pixels, received ${width} x ${height} = ${width * height}`,
    );
  }
  if (Math.max(width, height) > structureLimits.side) {
    throw new VerydeepError(
      'IMAGE_TOO_COMPLEX',
      `expected sides of at most ${structureLimits.side} pixels, received ${width} x ${height}`,
    );
  }
  const isDeep = metadata.depth === 'ushort' && metadata.hasProfile;
  const deepProfile = metadata.space === 'grey16' ? 'grey' : 'colour';
  return { format, width, height, variant, ...(isDeep && { deepProfile }) };
}

// --- helpers ---

function beginning(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
