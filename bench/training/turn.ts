import type { Precision } from '../../src/engine/precision.ts';
import type { TrainingBatch, TrainingStep, TrainingStepOptions } from '../../src/engine/training-step.ts';
import type { NetworkSpec } from '../../src/network/architecture.ts';
import { initialWeights } from '../../src/network/initialisers.ts';
import { createRandom } from '../../src/network/random.ts';

/** A network and how it is trained: one row of a table. */
export interface Training {
  readonly spec: NetworkSpec;
  readonly batch: number;
  readonly precision: Precision;
}

export function stepOptions({ spec, batch, precision }: Training, threads: number): TrainingStepOptions {
  return {
    spec,
    weights: initialWeights(spec, 'he', createRandom(1)),
    preprocessing: { channelOrder: 'rgb', scale: 1, mean: [124, 117, 104], std: [60, 60, 60] },
    microBatch: batch,
    momentum: 0.9,
    weightDecay: 5e-4,
    trainable: 'all',
    device: 'cpu',
    precision,
    threads,
  };
}

/** A batch of noise. */
export function noise({ spec: { crop, fc, classes }, batch }: Training): TrainingBatch {
  const random = createRandom(2);
  const mask = (): Float32Array => Float32Array.from({ length: batch * fc }, () => 2 * random.integer(2));
  return {
    pixels: Uint8Array.from({ length: batch * crop * crop * 3 }, () => random.integer(256)),
    colourShift: new Float32Array(batch * 3),
    labels: Int32Array.from({ length: batch }, () => random.integer(classes)),
    dropout: [mask(), mask()],
  };
}

/** Images a second of whole steps that take `turnMs` or a little longer. */
export async function imagesPerSecond(
  step: TrainingStep,
  pictures: TrainingBatch,
  turnMs: number,
): Promise<number> {
  const start = performance.now();
  let images = 0;
  do {
    await step.accumulate(pictures, 1);
    await step.update(1e-4);
    images += pictures.labels.length;
  } while (performance.now() - start < turnMs);
  return (1000 * images) / (performance.now() - start);
}
