import type { Engine } from '../../src/engine/engine.ts';
import { largestDifference } from '../../test/engine/reference-values.ts';

/** A picture, RGB `[height, width, 3]`. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** Score maps `[count, outputs, h', w']` of a network for a picture that stands so many times in a batch. */
export async function scoreMapsOf(
  engine: Engine,
  network: string,
  { pixels, height, width }: Picture,
  count: number,
): Promise<Float32Array> {
  const repeated = new Uint8Array(count * pixels.length);
  for (let i = 0; i < count; i++) repeated.set(pixels, i * pixels.length);
  const shape = { count, height, width, flip: false, maps: true };
  const outputs = await engine.run({ networks: [network], pixels: repeated, ...shape });
  return outputs.get(network)!.maps!.data;
}

/** The largest difference between the maps of a batch of one picture, and that picture's alone. */
export function differenceFrom(alone: Float32Array, batch: Float32Array): number {
  let worst = 0;
  for (let start = 0; start < batch.length; start += alone.length) {
    worst = Math.max(worst, largestDifference(batch.subarray(start, start + alone.length), alone));
  }
  return worst;
}
