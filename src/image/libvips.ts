/** The one door to sharp and libvips: everything that is set for the whole process is set here. */
import sharp, { type Sharp } from 'sharp';
import { messageOf, VerydeepError } from '../errors.ts';
import type { ImageFormat } from './format.ts';
import type { ImageLimits } from './limits.ts';
import type { Picture } from './picture.ts';

// Second lock behind `detectFormat`: libvips knows far more formats, some with parsers of a doubtful past.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Heif', 'Nsgif', 'Tiff'].map((name) => `VipsForeignLoad${name}Buffer`),
});
// No two requests share an operation, so a cache of them would only hold memory.
sharp.cache(false);
// One thread an image: the parallelism is between images, and the networks need the cores.
sharp.concurrency(1);

/** The first frame of a file, not yet decoded, turned as its EXIF orientation says. */
export function openImage(bytes: Uint8Array, limits?: ImageLimits): Sharp {
  return sharp(bytes, { autoOrient: true, failOn: 'error', limitInputPixels: limits?.maxPixels ?? false });
}

/** A picture as the start of a pipeline. */
export function openPixels({ width, height, pixels }: Picture): Sharp {
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** Runs a pipeline to its end, off the event loop, without a copy of the pixels that it gives. */
export async function readPixels(image: Sharp): Promise<Picture> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { width: info.width, height: info.height, pixels };
}

/** Longest reason of libvips that is passed on, in characters. */
const maxReason = 120;

/** CORRUPT_IMAGE with libvips' reason: its first line, without the names of its functions and what is not printable. */
export function corruptImage(format: ImageFormat, cause: unknown): VerydeepError {
  const [line = ''] = messageOf(cause)
    .replace('Input buffer contains unsupported image format', 'its header cannot be read')
    .replace(/^Input buffer has corrupt header:$/, 'its header cannot be read')
    .replace(/^Input buffer has corrupt header: /, '')
    .split('\n');
  const reason = line
    .replace(/^\w+: /, '')
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, maxReason);
  const message = `expected a whole ${format.toUpperCase()} image, received a corrupt one: ${reason}`;
  return new VerydeepError('CORRUPT_IMAGE', message, { cause });
}
