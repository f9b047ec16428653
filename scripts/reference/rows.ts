import type { Weights } from '../../src/network/weights.ts';
import { type ReferenceFile, relativeError, worstTensor } from '../../test/engine/reference-values.ts';

/** One comparison: the largest error, and the limit that it is held to. */
export interface Row {
  readonly engine: string;
  readonly reference: string;
  readonly what: string;
  readonly error: number;
  readonly limit: number;
}

export type Report = (row: Row) => void;

/** Absolute, of scores and posteriors. */
export const scoreLimit = 1e-4;
/** Relative in the L2 norm, of every tensor of gradients, weights and velocity, and of losses. */
export const gradientLimit = 1e-5;

/**
 * The worst tensor of `tensors` against those of the file, which holds them under `PREFIX.` or, if they are too
 * large, their norms under `PREFIX_norm.`; undefined if it holds neither.
 */
export function compareTensors(
  file: ReferenceFile,
  prefix: string,
  tensors: Weights,
): { name: string; error: number } | undefined {
  const names = [...tensors.keys()];
  if (names.every((name) => file.tensors.has(`${prefix}.${name}`))) {
    return worstTensor(tensors, (name) => file.numbers(`${prefix}.${name}`));
  }
  if (!names.every((name) => file.tensors.has(`${prefix}_norm.${name}`))) return undefined;
  const norms = new Map(names.map((name) => [name, { shape: [], data: normOf(tensors.get(name)!.data) }]));
  return worstTensor(norms, (name) => file.numbers(`${prefix}_norm.${name}`));
}

export function lossError(loss: number, expected: Float32Array): number {
  return relativeError(Float32Array.of(loss), expected);
}

function normOf(data: Float32Array): Float32Array {
  let sum = 0;
  for (const x of data) sum += x * x;
  return Float32Array.of(Math.sqrt(sum));
}
