import type { NetworkOutput, OutputMaps } from '../../engine/engine.ts';
import { meanOf, meanOfRows } from '../../inference/average.ts';

/**
 * Posteriors of one network in one pass over an image, `[classes]`: the mean over its pictures (paper, 3.2 and 4.3), with
 * or without their mirror images. `flip` of the pass says whether these were run; without them a pass that has
 * run both is asked for its maps.
 */
export function posteriorsOf(
  { posteriors, maps }: NetworkOutput,
  count: number,
  flip: { readonly ofPass: boolean; readonly wanted: boolean },
): Float32Array {
  if (flip.ofPass === flip.wanted) return meanOfRows(posteriors!, count);
  return Float32Array.from(
    meanOf(Array.from({ length: count }, (_, picture) => posteriorsOfPicture(maps!, picture))),
  );
}

// --- helpers ---

/** Score map averaged over space, softmax (paper, 3.2); of a picture, not its mirror image. */
function posteriorsOfPicture({ data, shape }: OutputMaps, picture: number): Float32Array {
  const [, , classes, height, width] = shape;
  const positions = height * width;
  const scores = Float64Array.from({ length: classes }, (_, c) => {
    const start = (picture * classes + c) * positions;
    return data.subarray(start, start + positions).reduce((sum, score) => sum + score, 0) / positions;
  });
  const max = scores.reduce((a, b) => Math.max(a, b));
  const powers = scores.map((score) => Math.exp(score - max));
  const sum = powers.reduce((a, b) => a + b, 0);
  return Float32Array.from(powers, (power) => power / sum);
}
