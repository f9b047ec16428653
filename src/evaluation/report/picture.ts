import { readFile } from 'node:fs/promises';
import type { ImageLimits } from '../../image/limits.ts';
import { makeThumbnail, type Thumbnail } from '../../image/thumbnail.ts';
import { unreadableReason } from '../../image/unreadable.ts';

/** A small picture of an image; `undefined` if the image has gone or changed since it was measured. */
export async function pictureOf(
  path: string,
  longestSide: number,
  limits: ImageLimits,
): Promise<Thumbnail | undefined> {
  try {
    return await makeThumbnail(await readFile(path), longestSide, limits);
  } catch (error) {
    unreadableReason(error); // throws what concerns more than this image
    return undefined;
  }
}

/** The picture itself, in place of an address. */
export function dataUri({ jpeg }: Thumbnail): string {
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}
