import { openPixels } from './libvips.ts';
import type { Picture } from './picture.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Longest side of a rescaled picture in smallest sides: bounds the work that one panorama can make. */
export const maxAspect = 8;

/**
 * Size of an image rescaled isotropically to smallest side `smallestSide` (Q or S of the paper): the other side is
 * rounded, and at most `maxAspect` times the smallest one. An image longer than that is compressed along its long side.
 */
export function rescaledSize(width: number, height: number, smallestSide: number): Size {
  const longest = Math.round((smallestSide * Math.max(width, height)) / Math.min(width, height));
  const long = Math.min(longest, maxAspect * smallestSide);
  return width < height ? { width: smallestSide, height: long } : { width: long, height: smallestSide };
}

/**
 * Resamples to a size with a triangle filter as wide as the larger of a source and a target pixel: bilinear where it
 * enlarges, antialiased where it reduces (by more than four, a box filter takes the first whole part of the reduction).
 */
export async function rescale(picture: Picture, { width, height }: Size): Promise<Picture> {
  if (picture.width === width && picture.height === height) return picture;
  const { data } = await openPixels(picture.pixels, picture.width, picture.height)
    .resize(width, height, { fit: 'fill', kernel: 'linear' })
    .raw()
    .toUint8Array();
  return { width, height, pixels: data };
}
