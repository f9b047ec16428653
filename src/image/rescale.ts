import { openPixels, readPixels } from './libvips.ts';
import { crop, type Picture } from './picture.ts';

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
 * enlarges, antialiased where it reduces. Pixels are squares: the edges of both pictures lie on each other.
 */
export async function rescale(picture: Picture, size: Size): Promise<Picture> {
  const width = Math.min(picture.width, size.width);
  const height = Math.min(picture.height, size.height);
  return enlarge(await reduce(picture, { width, height }), size);
}

// --- helpers ---

/** A reduction by more than four is begun by a box filter over whole pixels (libvips does so for speed). */
async function reduce(picture: Picture, { width, height }: Size): Promise<Picture> {
  if (picture.width === width && picture.height === height) return picture;
  return readPixels(openPixels(picture).resize(width, height, { fit: 'fill', kernel: 'linear' }));
}

/**
 * Not by `resize`, which enlarges with half a target pixel of displacement. Target pixel x is source position
 * (x + 1/2) / scale - 1/2; the affine operation reads at (x - od) / scale - id, in a picture that is one pixel larger
 * on each side, since it has no values beyond an edge.
 */
async function enlarge(picture: Picture, { width, height }: Size): Promise<Picture> {
  if (picture.width === width && picture.height === height) return picture;
  const scale: [[number, number], [number, number]] = [
    [width / picture.width, 0],
    [0, height / picture.height],
  ];
  const centred = { interpolator: 'bilinear', idx: -0.5, idy: -0.5, odx: -0.5, ody: -0.5 } as const;
  const enlarged = await readPixels(openPixels(repeatEdges(picture)).affine(scale, centred));
  return crop(enlarged, 0, 0, width, height);
}

/** One pixel more on each side: a copy of the edge's. */
function repeatEdges({ width, height, pixels }: Picture): Picture {
  const stride = (width + 2) * 3;
  const larger = new Uint8Array(stride * (height + 2));
  for (let y = 0; y < height + 2; y++) {
    const start = Math.min(Math.max(y - 1, 0), height - 1) * width * 3;
    const row = pixels.subarray(start, start + width * 3);
    larger.set(row.subarray(0, 3), y * stride);
    larger.set(row, y * stride + 3);
    larger.set(row.subarray(-3), y * stride + stride - 3);
  }
  return { width: width + 2, height: height + 2, pixels: larger };
}
