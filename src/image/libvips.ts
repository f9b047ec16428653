/** The one door to sharp and libvips: everything that is set for the whole process is set here. */
import sharp, { type Sharp } from 'sharp';
import { messageOf, VerydeepError } from '../errors.ts';
import type { DeepPicture } from './deep.ts';
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

/** The same for 16 bits a sample. */
export async function readDeepPixels(image: Sharp): Promise<DeepPicture> {
  const { data, info } = await image
    .toColourspace('rgb16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const samples = new Uint16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
  return { width: info.width, height: info.height, channels: info.channels, samples };
}

/** Longest reason of libvips that is passed on, in characters. */
const maxReason = 120;

/** Warnings of libjpeg that come before the reason. */
const warning = /^(Warning: )?unknown JFIF revision number|^Unknown Adobe color transform code/;

/** What a decoder says of a whole file whose variant it does not know. */
const unknownVariant = /not (been )?(supported|implemented|configured)|Unsupported (feature|JPEG process)/;

/**
 * libvips' reason as a coded error: UNSUPPORTED_IMAGE for a variant that the decoder does not know, else CORRUPT_IMAGE. The
 * message has the first line that is no warning, without names of functions and what is not printable.
 */
export function refusedImage(format: ImageFormat, cause: unknown): VerydeepError {
  const lines = messageOf(cause)
    .replace('Input buffer contains unsupported image format', 'its header cannot be read')
    .replace(/^Input buffer has corrupt header:$/, 'its header cannot be read')
    .replace(/^Input buffer has corrupt header: /, '')
    .split('\n')
    .map((line) =>
      line
        .replace(/^\w+: /, '')
        .replace(/[^\x20-\x7e]+/g, ' ')
        .trim(),
    );
  const line = lines.find((text) => text !== '' && !warning.test(text)) ?? lines[0]!;
  const reason = line.slice(0, maxReason);
  const name = format.toUpperCase();
  return unknownVariant.test(reason)
    ? new VerydeepError('UNSUPPORTED_IMAGE', `expected a common kind of ${name}: ${reason}`, { cause })
    : new VerydeepError(
        'CORRUPT_IMAGE',
        `expected a whole ${name} image, received a corrupt one: ${reason}`,
        {
          cause,
        },
      );
}
