import { highest } from '../network/ranking.ts';
import type { RankedClass } from './answer.ts';

/** Mean of vectors of one length, each of equal weight, summed in the order given (paper, 3.2 and 4.4). */
export function meanOf(vectors: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array(vectors[0]!.length);
  for (const vector of vectors) for (let i = 0; i < mean.length; i++) mean[i]! += vector[i]!;
  for (let i = 0; i < mean.length; i++) mean[i]! /= vectors.length;
  return mean;
}

/** Mean over the rows of `[rows, columns]`: the posteriors of a picture from those of its crops (paper, 4.3). */
export function meanOfRows(matrix: Float32Array, rows: number): Float32Array {
  const columns = matrix.length / rows;
  return Float32Array.from(
    meanOf(Array.from({ length: rows }, (_, row) => matrix.subarray(row * columns, (row + 1) * columns))),
  );
}

/** The `top` classes of highest posterior, or all when there are fewer; of equal ones the lower index comes first. */
export function rankClasses(
  posteriors: ArrayLike<number>,
  labels: readonly string[],
  top: number,
): RankedClass[] {
  return highest(posteriors, top).map((index) => ({
    index,
    label: labels[index]!,
    probability: posteriors[index]!,
  }));
}
