import type { NetworkOutput, OutputMaps } from '../../engine/engine.ts';

/** Pictures one after the other: `[n, h, w, 3]`. One part alone is not copied. */
export function joinPixels(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Copies the answers to pictures `first` to `first + count` out of those to a batch of `total`. */
export function sliceOutputs(
  outputs: ReadonlyMap<string, NetworkOutput>,
  first: number,
  count: number,
  total: number,
): Map<string, NetworkOutput> {
  return new Map(
    [...outputs].map(([id, { posteriors, features, maps }]) => [
      id,
      {
        ...(posteriors && { posteriors: sliceRows(posteriors) }),
        ...(features && { features: sliceRows(features) }),
        ...(maps && { maps: sliceMaps(maps, first, count) }),
      },
    ]),
  );

  /** Of `[total, columns]`. */
  function sliceRows(rows: Float32Array): Float32Array {
    const columns = rows.length / total;
    return rows.slice(first * columns, (first + count) * columns);
  }
}

/** The answers to pictures that were computed in several batches, one after the other; those in parts have no maps. */
export function joinOutputs(
  parts: readonly ReadonlyMap<string, NetworkOutput>[],
): ReadonlyMap<string, NetworkOutput> {
  if (parts.length === 1) return parts[0]!;
  return new Map(
    [...parts[0]!.keys()].map((id) => {
      const posteriors = parts.map((outputs) => outputs.get(id)!.posteriors!);
      const joined = new Float32Array(posteriors.reduce((sum, { length }) => sum + length, 0));
      let offset = 0;
      for (const part of posteriors) {
        joined.set(part, offset);
        offset += part.length;
      }
      return [id, { posteriors: joined }];
    }),
  );
}

// --- helpers ---

function sliceMaps({ data, shape }: OutputMaps, first: number, count: number): OutputMaps {
  const [views, total, outputs, height, width] = shape;
  const size = outputs * height * width;
  const sliced = new Float32Array(views * count * size);
  for (let view = 0; view < views; view++) {
    const start = (view * total + first) * size;
    sliced.set(data.subarray(start, start + count * size), view * count * size);
  }
  return { data: sliced, shape: [views, count, outputs, height, width] };
}
