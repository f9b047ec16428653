import { type Eigensystem3, eigenSymmetric3, type Matrix3, type Vector3 } from './eigen.ts';
import type { Picture } from './picture.ts';

/** How the colours of a set of pictures are distributed, over all pixels of all pictures; red, green, blue. */
export interface ColourStatistics {
  /** 0..255. */
  readonly mean: Vector3;
  /** 0..255. */
  readonly standardDeviation: Vector3;
  /** Principal components: of the channels' covariance, with pixels in 0..1. */
  readonly components: Eigensystem3;
}

/** Measures pictures. Throws RangeError if there is no pixel. */
export function colourStatistics(pictures: Iterable<Picture>): ColourStatistics {
  // Sums of integers, exact in doubles up to 2^53: that is 10^11 pixels.
  let [count, r, g, b, rr, rg, rb, gg, gb, bb] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (const { pixels } of pictures) {
    count += pixels.length / 3;
    for (let i = 0; i < pixels.length; i += 3) {
      const [red, green, blue] = [pixels[i]!, pixels[i + 1]!, pixels[i + 2]!];
      r += red;
      g += green;
      b += blue;
      rr += red * red;
      rg += red * green;
      rb += red * blue;
      gg += green * green;
      gb += green * blue;
      bb += blue * blue;
    }
  }
  if (count === 0) throw new RangeError('expected pictures to measure their colours, received no pixel');
  const covariance = (products: number, x: number, y: number): number =>
    (products / count - (x / count) * (y / count)) / 255 ** 2;
  const matrix: Matrix3 = [
    [covariance(rr, r, r), covariance(rg, r, g), covariance(rb, r, b)],
    [covariance(rg, r, g), covariance(gg, g, g), covariance(gb, g, b)],
    [covariance(rb, r, b), covariance(gb, g, b), covariance(bb, b, b)],
  ];
  const deviation = (variance: number): number => 255 * Math.sqrt(Math.max(0, variance));
  return {
    mean: [r / count, g / count, b / count],
    standardDeviation: [deviation(matrix[0][0]), deviation(matrix[1][1]), deviation(matrix[2][2])],
    components: eigenSymmetric3(matrix),
  };
}

/** Standard deviation of the factor of each component (Krizhevsky et al. 2012, 4.1). */
const shiftDeviation = 0.1;

/**
 * Draws the shift of one picture: what to add to red, green and blue of all its pixels (0..255). Each principal
 * component counts with its eigenvalue times a number from N(0, 0.1^2).
 */
export function sampleColourShift(
  { components: { values, vectors } }: ColourStatistics,
  random: { normal(): number },
): [red: number, green: number, blue: number] {
  const factors = values.map((value) => 255 * value * shiftDeviation * random.normal());
  const along = (channel: 0 | 1 | 2): number =>
    factors.reduce((sum, factor, k) => sum + factor * vectors[k]![channel], 0);
  return [along(0), along(1), along(2)];
}
