import type { OutputMaps } from '../../engine/engine.ts';

/** For each of `labels` its place among `own`, -1 if it is not there; undefined if both are the same. */
export function orderOf(own: readonly string[], labels: readonly string[]): readonly number[] | undefined {
  if (own.length === labels.length && own.every((label, i) => label === labels[i])) return undefined;
  return labels.map((label) => own.indexOf(label));
}

/** Posteriors in another order of the classes. */
export function alignPosteriors(
  posteriors: Float32Array,
  order: readonly number[] | undefined,
): Float32Array {
  return order === undefined ? posteriors : Float32Array.from(order, (from) => posteriors[from]!);
}

/**
 * Maps whose channels, `perClass` of them a class, are in another order; those of classes that the network does not know
 * are not numbers.
 */
export function alignMaps(
  { data, shape: [views, count, channels, height, width] }: OutputMaps,
  order: readonly number[] | undefined,
  perClass: 1 | 4,
): OutputMaps {
  if (order === undefined) return { data, shape: [views, count, channels, height, width] };
  const size = perClass * height * width;
  const aligned = new Float32Array(views * count * order.length * size).fill(Number.NaN);
  for (let picture = 0; picture < views * count; picture++) {
    order.forEach((from, to) => {
      if (from < 0) return;
      const start = picture * channels * height * width + from * size;
      aligned.set(data.subarray(start, start + size), (picture * order.length + to) * size);
    });
  }
  return { data: aligned, shape: [views, count, order.length * perClass, height, width] };
}
