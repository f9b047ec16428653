import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Engine } from '../../src/engine/engine.ts';
import type { NetworkSpec } from '../../src/network/architecture.ts';
import {
  largestDifference,
  type ReferenceFile,
  readReference,
  referencePreprocessing,
} from '../../test/engine/reference-values.ts';
import { hashedWeights } from '../../test/network/hashed.ts';
import { differenceFrom, scoreMapsOf } from './batches.ts';
import { referencePicture } from './picture.ts';
import { compareTensors, lossError, type Report, scoreLimit } from './rows.ts';
import { addTensors, createStep, rowsOf, type TrainingVerification } from './training.ts';

/** Networks of `full-size.safetensors`. Their weights and pictures are hashed; the first size is that of training. */
export const fullSizeNetworks: Record<string, { spec: NetworkSpec; sizes: [number, number][] }> = {
  'd-quarter': {
    spec: { architecture: 'D', width: 0.25, fc: 512, classes: 101, crop: 128, head: 'classes' },
    sizes: [
      [128, 128],
      [160, 213],
    ],
  },
  d: {
    spec: { architecture: 'D', width: 1, fc: 4096, classes: 1000, crop: 224, head: 'classes' },
    sizes: [
      [224, 224],
      [256, 341],
    ],
  },
  e: {
    spec: { architecture: 'E', width: 1, fc: 4096, classes: 1000, crop: 224, head: 'classes' },
    sizes: [
      [224, 224],
      [256, 341],
    ],
  },
};

export const readFullSize = (folder: string): ReferenceFile =>
  readReference(join(folder, 'full-size.safetensors'));

function weightsOf(file: ReferenceFile, name: string): ReturnType<typeof hashedWeights> {
  return hashedWeights(fullSizeNetworks[name]!.spec, file.numbers(`${name}.weight_stream`)[0]!);
}

/** Scores (map averaged over space) at both sizes, and score maps of the same picture in batches. */
export async function verifyFullSizeScores(
  engine: Engine,
  file: ReferenceFile,
  seed: number,
  name: string,
  report: Report,
): Promise<void> {
  const { spec, sizes } = fullSizeNetworks[name]!;
  await engine.load({
    id: name,
    spec,
    preprocessing: referencePreprocessing,
    weights: weightsOf(file, name),
  });
  for (const [k, [height, width]] of sizes.entries()) {
    const key = `${name}.${height}x${width}`;
    const pixels = referencePicture(height, width, seed * 100 + 20 + k);
    const hash = createHash('sha256').update(pixels).digest();
    if (!hash.equals(file.pixels(`${key}.picture_sha256`).pixels)) {
      throw new Error(`${key}: the picture made here is not that of the reference`);
    }
    const outputs = await engine.run({
      networks: [name],
      pixels,
      count: 1,
      height,
      width,
      flip: false,
      maps: true,
    });
    const { data, shape } = outputs.get(name)!.maps!;
    if (shape.slice(2).join() !== file.numbers(`${key}.map_shape`).join()) {
      throw new Error(`${key}: score map of shape ${shape.join(' x ')}`);
    }
    const area = shape[3] * shape[4];
    const scores = Float32Array.from({ length: shape[2] }, (_, c) => {
      let sum = 0;
      for (let i = 0; i < area; i++) sum += data[c * area + i]!;
      return sum / area;
    });
    const add = (what: string, error: number): void =>
      report({ engine: engine.capabilities.engine, reference: key, what, error, limit: scoreLimit });
    add('scores', largestDifference(scores, file.numbers(`${key}.scores`)));
    for (const count of [2, 4]) {
      const batch = await scoreMapsOf(engine, name, { pixels, height, width }, count);
      add(`score maps of ${count} at once against one`, differenceFrom(data, batch));
    }
  }
  await engine.unload(name);
}

/**
 * At full size some of the millions of pooling windows hold two values that agree to the last bit but one, and rounding
 * decides which of them takes the gradient: weights changed by one part in 10^7 were measured to move the gradients below
 * such a window by up to 5e-3.
 */
const fullSizeGradientLimit = 1e-2;

/** Loss and gradient norms of two crops. */
export async function verifyFullSizeGradient(
  verification: TrainingVerification,
  file: ReferenceFile,
  seed: number,
  name: string,
): Promise<void> {
  const { spec, sizes } = fullSizeNetworks[name]!;
  const [height, width] = sizes[0]!;
  const step = await createStep(verification, { spec, weights: weightsOf(file, name), microBatch: 2 });
  const ones = new Float32Array(2 * spec.fc).fill(1);
  const loss = await step.accumulate(
    {
      pixels: Buffer.concat([20, 30].map((k) => referencePicture(height, width, seed * 100 + k))),
      colourShift: new Float32Array(6),
      labels: Int32Array.of(7, 3),
      dropout: [ones, ones],
    },
    1,
  );
  const add = rowsOf(verification, name);
  add('loss', lossError(loss, file.numbers(`${name}.loss`)));
  const addGradient = spec.width < 1 ? add : rowsOf(verification, name, fullSizeGradientLimit);
  addTensors(addGradient, 'gradient', compareTensors(file, `${name}.gradient`, await step.readGradient()));
  await step.dispose();
}
