import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Sample } from '../datasets/listing.ts';
import { messageOf } from '../errors.ts';
import type { PixelBox } from '../image/box.ts';
import { decodeAtScales } from '../image/decode.ts';
import type { ImageLimits } from '../image/limits.ts';

/** A checked image, rescaled to the scale of its split. */
export interface StoredPicture {
  readonly path: string;
  /** Index into the data set's labels. */
  readonly label: number;
  readonly width: number;
  readonly height: number;
  /** In pixels of this picture. */
  readonly box?: PixelBox;
  /** RGB, `[height, width, 3]`, shared with the loader's thread; decoded anew each time where memory did not suffice. */
  readonly pixels?: SharedArrayBuffer;
}

/** An image after its file was read: a picture, or the problem with it. */
export interface LoadedImage {
  readonly sample: Sample;
  readonly hash: string;
  readonly picture?: StoredPicture | undefined;
  readonly problem?: string;
}

/** Reads, hashes and decodes an image; `room` is what is left of the memory for pixels, and shrinks. */
export async function loadImage(
  sample: Sample,
  scale: number,
  limits: ImageLimits,
  room: { bytes: number },
): Promise<LoadedImage> {
  let hash = '';
  try {
    const bytes = await readFile(sample.path);
    hash = createHash('sha256').update(bytes).digest('hex');
    const { width, height, pictures } = await decodeAtScales(bytes, [scale], limits);
    const { pixels, ...size } = pictures[0]!;
    const box = sample.box && scaleBox(sample.box, size.width / width, size.height / height);
    if (box && !isInside(box, size)) {
      return {
        sample,
        hash,
        problem: `its box [${sample.box.join(', ')}] is not in its ${width} x ${height} pixels`,
      };
    }
    const keep = pixels.length <= room.bytes;
    if (keep) room.bytes -= pixels.length;
    const { path, label } = sample;
    return {
      sample,
      hash,
      picture: { path, label, ...size, ...(box && { box }), ...(keep && { pixels: toShared(pixels) }) },
    };
  } catch (error) {
    return { sample, hash, problem: messageOf(error) };
  }
}

// --- helpers ---

/** A box may stick out by this part of the side: annotation tools count the last pixel in different ways. */
const boxTolerance = 0.01;

function isInside([x, y, width, height]: PixelBox, picture: { width: number; height: number }): boolean {
  const fits = (start: number, length: number, size: number): boolean =>
    length > 0 && start >= -boxTolerance * size && start + length <= size * (1 + boxTolerance);
  return fits(x, width, picture.width) && fits(y, height, picture.height);
}

function scaleBox([x, y, width, height]: PixelBox, scaleX: number, scaleY: number): PixelBox {
  return [x * scaleX, y * scaleY, width * scaleX, height * scaleY];
}

function toShared(pixels: Uint8Array): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(pixels.length);
  new Uint8Array(buffer).set(pixels);
  return buffer;
}
