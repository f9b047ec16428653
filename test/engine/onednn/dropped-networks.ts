import { createOnednnTrainingStep } from '../../../src/engine/onednn/training-step.ts';
import type { TrainingBatch, TrainingStepOptions } from '../../../src/engine/training-step.ts';
import { hashedWeights } from '../../network/hashed.ts';
import { referenceTraining } from '../reference-values.ts';

/** A crop of 32, where the last map is one pixel; such a network holds 0.5 MB. */
const spec = { architecture: 'A', width: 1 / 16, fc: 8, classes: 3, crop: 32, head: 'classes' } as const;
const ones = new Float32Array(2 * spec.fc).fill(1);

export const smallOptions: TrainingStepOptions = {
  spec,
  weights: hashedWeights(spec, 1),
  ...referenceTraining,
  microBatch: 2,
  threads: 1,
};

export const smallBatch: TrainingBatch = {
  pixels: new Uint8Array(2 * 32 * 32 * 3).map((_, i) => (i * 37) % 256),
  colourShift: new Float32Array(2 * 3),
  labels: Int32Array.of(0, 2),
  dropout: [ones, ones],
};

/** Makes so many networks, lets each do one update, and drops it. */
export async function makeAndDrop(networks: number): Promise<void> {
  for (let i = 0; i < networks; i++) {
    const step = await createOnednnTrainingStep(smallOptions);
    await step.accumulate(smallBatch, 0.5);
    await step.accumulate(smallBatch, 0.5);
    await step.update(1e-4 * (i % 3));
    await step.dispose();
  }
}
