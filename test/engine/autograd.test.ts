import { describe, expect, it } from 'vitest';
import { createOnednnTrainingStep } from '../../src/engine/onednn/training-step.ts';
import { createOnnxTrainingStep } from '../../src/engine/onnx/training-step.ts';
import type {
  CreateTrainingStep,
  TrainingBatch,
  TrainingStepOptions,
} from '../../src/engine/training-step.ts';
import { isBoxHead, type NetworkSpec } from '../../src/network/architecture.ts';
import { initialWeights } from '../../src/network/initialisers.ts';
import { createRandom } from '../../src/network/random.ts';
import { trainByAutograd } from './autograd.ts';
import { copying } from './copying-step.ts';
import { describeOnednn } from './onednn/library.ts';
import { relativeError, worstTensor } from './reference-values.ts';

/** Relative L2 error a tensor. */
const tolerance = 1e-5;
const learningRate = 1e-3;
const pictures = 2;

const cases = (
  [
    ['A', 'classes', 64, 1 / 64],
    ['D', 'classes', 32, 1 / 32],
    ['A', 'pcr', 32, 1 / 32],
  ] as const
).map(([architecture, head, crop, width]) => {
  const options = optionsOf({ architecture, head, crop, width, fc: 12, classes: 5 });
  const batches = [0, 1, 2].map((seed) => noise(options.spec, seed));
  const title = `${architecture} at crop ${crop}, head ${head}`;
  return { title, options, batches, oracle: trainByAutograd(options, batches, learningRate) };
});

/** Every pooling window is a tie: tfjs too gives the gradient to the first maximum. */
const flat = { ...cases[0]!, batches: [withoutTexture(cases[0]!.batches[0]!)] };
const flatCase = {
  ...flat,
  title: `${flat.title}, pictures of one colour`,
  oracle: trainByAutograd(flat.options, flat.batches, learningRate),
};

describeOnednn('oneDNN', () => agreesWithAutograd(createOnednnTrainingStep));
describe('onnx', () => agreesWithAutograd(createOnnxTrainingStep));

function agreesWithAutograd(create: CreateTrainingStep): void {
  for (const { title, options, batches, oracle } of [...cases, flatCase]) {
    it(`gives the losses, gradient and updates of tfjs's autograd: ${title}`, async () => {
      const step = copying(await create(options));
      for (const [k, batch] of batches.entries()) {
        const loss = await step.accumulate(batch, 1);
        expect(relativeError(Float32Array.of(loss), Float32Array.of(oracle.losses[k]!))).toBeLessThan(
          tolerance,
        );
        if (k === 0) {
          const worst = worstTensor(await step.readGradient(), (name) => oracle.gradient.get(name)!.data);
          expect(worst.error, worst.name).toBeLessThan(tolerance);
        }
        await step.update(learningRate);
      }
      const worst = worstTensor(await step.readWeights(), (name) => oracle.weights.get(name)!.data);
      expect(worst.error, worst.name).toBeLessThan(tolerance);
      await step.dispose();
    });
  }
}

it('has a gradient in every tensor, so that each is compared', () => {
  for (const { title, oracle } of cases) {
    const dead = [...oracle.gradient].filter(([, { data }]) => data.every((x) => x === 0));
    expect(
      dead.map(([name]) => name),
      title,
    ).toEqual([]);
  }
});

// --- helpers ---

function optionsOf(spec: NetworkSpec): TrainingStepOptions {
  return {
    spec,
    weights: initialWeights(spec, 'he', createRandom(3)),
    preprocessing: { channelOrder: 'bgr', scale: 1 / 255, mean: [0.4, 0.45, 0.48], std: [0.22, 0.23, 0.24] },
    microBatch: pictures,
    momentum: 0.9,
    weightDecay: 0.5, // large, so that its part of three updates is far above the tolerance
    trainable: 'all',
    device: 'cpu',
    precision: 'fp32',
    threads: 1,
  };
}

/** A batch of noise, other for each seed. */
function noise({ crop, fc, classes, head }: NetworkSpec, seed: number): TrainingBatch {
  const random = createRandom(seed);
  const floats = (length: number, draw: () => number) => Float32Array.from({ length }, draw);
  const mask = () => floats(pictures * fc, () => 2 * random.integer(2));
  return {
    pixels: Uint8Array.from({ length: pictures * crop * crop * 3 }, () => random.integer(256)),
    colourShift: floats(pictures * 3, () => 10 * random.normal()),
    labels: Int32Array.from({ length: pictures }, () => random.integer(classes)),
    dropout: [mask(), mask()],
    ...(isBoxHead(head) && { boxes: floats(pictures * 4, () => random.next()) }),
  };
}

/** Each picture in the colour of its first pixel. */
function withoutTexture(batch: TrainingBatch): TrainingBatch {
  const size = batch.pixels.length / pictures;
  const pixels = batch.pixels.map((_, i, all) => all[i - (i % size) + (i % 3)]!);
  return { ...batch, pixels };
}
