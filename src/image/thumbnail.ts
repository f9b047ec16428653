import { readHeader } from './header.ts';
import { openImage } from './libvips.ts';
import type { ImageLimits } from './limits.ts';
import { withOwnReason } from './own-reason.ts';
import type { Size } from './rescale.ts';

/** A small JPEG without any of the file's metadata. */
export interface Thumbnail extends Size {
  readonly jpeg: Buffer;
}

/** 0 to 100. */
const quality = 72;

/**
 * The first frame, turned as its EXIF orientation says, on white, with `longestSide` pixels at most. Throws what
 * `readHeader` throws.
 */
export async function makeThumbnail(
  bytes: Uint8Array,
  longestSide: number,
  limits: ImageLimits,
): Promise<Thumbnail> {
  const { format, variant } = await readHeader(bytes, limits);
  const { data, info } = await withOwnReason(format, () =>
    openImage(variant.bytes ?? bytes, limits)
      .resize(longestSide, longestSide, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .jpeg({ quality, mozjpeg: true })
      .toBuffer({ resolveWithObject: true }),
  );
  return { width: info.width, height: info.height, jpeg: data };
}
