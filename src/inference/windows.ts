import type { OutputMaps } from '../engine/engine.ts';
import type { Box } from '../image/box.ts';
import { poolStride } from '../network/architecture.ts';

/** A rescaled picture and the image that it is of, both in pixels. */
export interface ScaledPicture {
  readonly width: number;
  readonly height: number;
  /** As displayed. */
  readonly image: { readonly width: number; readonly height: number };
}

/** View 0 of an output map is the picture, view 1 its mirror image. */
const mirror = 1;

/**
 * The box that a localisation network predicts at the window (i, j) of a view, in pixels of the image as displayed: not
 * clipped, and undefined if its sides are not positive numbers. `channel` is the first of its four: 0 of a box that
 * all classes share, 4c of class c. The window is the crop-sized square at (32 j, 32 i) of the rescaled picture, or of
 * its mirror image.
 */
export function boxAt(
  maps: OutputMaps,
  channel: number,
  [view, i, j]: readonly [view: number, i: number, j: number],
  crop: number,
  picture: ScaledPicture,
): Box | undefined {
  const [, , channels, rows, columns] = maps.shape;
  const value = (k: number): number =>
    maps.data[((view * channels + channel + k) * rows + i) * columns + j]! * crop;
  const x = poolStride * j + value(0);
  const y = poolStride * i + value(1);
  const width = value(2);
  const height = value(3);
  if (!(width > 0 && height > 0 && Number.isFinite(x + y + width + height))) return undefined;
  const centreX = view === mirror ? picture.width - x : x;
  const toImageX = picture.image.width / picture.width;
  const toImageY = picture.image.height / picture.height;
  return {
    x: (centreX - width / 2) * toImageX,
    y: (y - height / 2) * toImageY,
    width: width * toImageX,
    height: height * toImageY,
  };
}

/** The part of a box that lies in the image, or undefined if none does. */
export function clip(box: Box, image: { readonly width: number; readonly height: number }): Box | undefined {
  const x = Math.max(0, box.x);
  const y = Math.max(0, box.y);
  const width = Math.min(image.width, box.x + box.width) - x;
  const height = Math.min(image.height, box.y + box.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

/** Class posteriors at every window of one picture, mean over classification networks. */
export interface WindowPosteriors {
  readonly views: number;
  readonly height: number;
  readonly width: number;
  /** `[height, width]`, row-major, of one class in one view (a mirrored view as computed, not mirrored back). */
  of(classIndex: number, view: number): Float32Array;
}

/**
 * Softmax over the classes at every position of the score maps `[views, 1, classes, h', w']` of the classification
 * networks. Only its denominators are computed at once; a class's posteriors when they are asked for.
 */
export function windowPosteriors(networks: readonly OutputMaps[]): WindowPosteriors {
  const [views, , , height, width] = networks[0]!.shape;
  const positions = height * width;
  const logSums = networks.map(logSumsOf);
  return {
    views,
    height,
    width,
    of(classIndex, view) {
      const posteriors = new Float32Array(positions);
      networks.forEach(({ data, shape: [, , classes] }, n) => {
        const first = (view * classes + classIndex) * positions;
        for (let p = 0; p < positions; p++) {
          const logPosterior = data[first + p]! - logSums[n]![view * positions + p]!;
          posteriors[p]! += Math.exp(logPosterior) / networks.length;
        }
      });
      return posteriors;
    },
  };
}

// --- helpers ---

/** log(sum over classes of exp(score)) at each position, `[views, h', w']`. */
function logSumsOf({ data, shape: [views, , classes, height, width] }: OutputMaps): Float64Array {
  const positions = height * width;
  const logSums = new Float64Array(views * positions);
  const largest = new Float64Array(positions);
  for (let view = 0; view < views; view++) {
    const scores = data.subarray(view * classes * positions, (view + 1) * classes * positions);
    largest.fill(Number.NEGATIVE_INFINITY);
    for (let k = 0; k < scores.length; k++) {
      const p = k % positions;
      if (scores[k]! > largest[p]!) largest[p] = scores[k]!;
    }
    const sums = logSums.subarray(view * positions, (view + 1) * positions);
    for (let k = 0; k < scores.length; k++) {
      const p = k % positions;
      sums[p]! += Math.exp(scores[k]! - largest[p]!);
    }
    for (let p = 0; p < positions; p++) sums[p] = Math.log(sums[p]!) + largest[p]!;
  }
  return logSums;
}
