import type { Sharp } from 'sharp';
import { VerydeepError } from '../errors.ts';
import { flattenDeep } from './deep.ts';
import { type ImageHeader, readHeader } from './header.ts';
import { openImage, readDeepPixels, readPixels } from './libvips.ts';
import type { ImageLimits } from './limits.ts';
import { withOwnReason } from './own-reason.ts';
import type { Picture } from './picture.ts';
import { rescale, rescaledSize, type Size } from './rescale.ts';

/** An image at several scales. */
export interface DecodedImage {
  /** Pixels of the image as displayed. */
  readonly width: number;
  readonly height: number;
  /** One for each scale, of size `rescaledSize(width, height, scale)`. */
  readonly pictures: readonly Picture[];
}

/**
 * The file is decoded to this many times the largest scale, or to its own size if that is smaller. The filter of
 * that reduction, and JPEG's and WebP's own reduced decoding, then change little of what `rescale` makes (docs/images.md).
 */
const headroom = 3;

/** Reads the header of an image and decodes it. Throws what `readHeader` and {@link decodeWithHeader} throw. */
export async function decodeAtScales(
  bytes: Uint8Array,
  scales: readonly number[],
  limits: ImageLimits,
): Promise<DecodedImage> {
  return decodeWithHeader(bytes, await readHeader(bytes, limits), scales, limits);
}

/**
 * Decodes the first frame once, to sRGB on white, turned as its EXIF orientation says, and rescales it to each of
 * `scales` (smallest sides in pixels). `header` is what `readHeader` returned for these bytes. Throws CORRUPT_IMAGE,
 * UNSUPPORTED_IMAGE.
 */
export async function decodeWithHeader(
  bytes: Uint8Array,
  header: ImageHeader,
  scales: readonly number[],
  limits: ImageLimits,
): Promise<DecodedImage> {
  const { width, height } = header;
  const decoded = await decode(bytes, header, decodedSize(header, Math.max(...scales)), limits);
  const pictures = await Promise.all(
    scales.map((scale) => rescale(decoded, rescaledSize(width, height, scale))),
  );
  return { width, height, pictures };
}

// --- helpers ---

/** Bounded on both sides, so that memory follows the scale and not the image. */
function decodedSize({ width, height }: ImageHeader, largestScale: number): Size {
  const enough = rescaledSize(width, height, headroom * largestScale);
  return { width: Math.min(width, enough.width), height: Math.min(height, enough.height) };
}

async function decode(
  bytes: Uint8Array,
  header: ImageHeader,
  size: Size,
  limits: ImageLimits,
): Promise<Picture> {
  const { format, variant } = header;
  const picture = await withOwnReason(format, () => {
    const image = openImage(variant.bytes ?? bytes, limits).resize(size.width, size.height, {
      fit: 'fill',
      kernel: 'linear',
    });
    if (variant.isLimitedGrey) image.linear(255 / 219, (-16 * 255) / 219);
    return toSrgb(image, header);
  });
  const channels = picture.pixels.length / (size.width * size.height);
  if (channels !== 3) {
    const message = `expected a colour or grey image, received one of ${channels} channels`;
    throw new VerydeepError('UNSUPPORTED_IMAGE', message);
  }
  return picture;
}

/** On white. sharp follows profiles for 8 bits; of deeper colour it makes Display P3, and of deeper grey nothing. */
async function toSrgb(image: Sharp, { deepProfile, variant }: ImageHeader): Promise<Picture> {
  if (variant.ignoresAlpha) image.removeAlpha();
  else if (deepProfile === undefined) image.flatten({ background: 'white' });
  if (deepProfile === 'colour') return flattenDeep(await readDeepPixels(image.withIccProfile('srgb')));
  if (deepProfile === undefined) return readPixels(image.toColourspace('srgb'));
  const shallow = await image.toColourspace('b-w').keepIccProfile().tiff({ compression: 'none' }).toBuffer();
  return readPixels(openImage(shallow).flatten({ background: 'white' }).toColourspace('srgb'));
}
