import { beforeAll, describe, expect, it } from 'vitest';
import type {
  CreateTrainingStep,
  TrainingBatch,
  TrainingStep,
  TrainingStepOptions,
} from '../../src/engine/training-step.ts';
import type { NetworkSpec } from '../../src/network/architecture.ts';
import { copyOfTensor, partsOf, type WeightSources, type Weights } from '../../src/network/weights.ts';
import { type CopyingStep, copying } from './copying-step.ts';
import {
  picturesOf,
  type ReferenceFile,
  readFixture,
  referenceTraining,
  relativeError,
  trainingBatch,
  worstTensor,
} from './reference-values.ts';

/** Relative L2 error a tensor that fp32 arithmetic is held to. */
const tolerance = 1e-5;

interface Fixture {
  readonly file: ReferenceFile;
  readonly spec: NetworkSpec;
  readonly weights: Weights;
}

/** What every training step in fp32 has to do: run against each of them. */
export function describeTrainingStep(name: string, create: CreateTrainingStep): void {
  describe(name, () => {
    let a: Fixture;
    let d: Fixture;
    beforeAll(async () => {
      a = await readFixture('a-tiny.training');
      d = await readFixture('d-tiny.training');
    });

    /** Runs `use` on a fresh step and disposes of it. */
    async function withStep<T>(
      { spec, weights }: Pick<Fixture, 'spec' | 'weights'>,
      microBatch: number,
      use: (step: CopyingStep<TrainingStep>, itself: TrainingStep) => Promise<T>,
      changes: Partial<TrainingStepOptions> = {},
    ): Promise<T> {
      const step = await create({
        spec,
        weights,
        microBatch,
        ...referenceTraining,
        threads: 2,
        ...changes,
      });
      try {
        return await use(copying(step), step);
      } finally {
        await step.dispose();
      }
    }

    const batchOf = ({ file, spec }: Fixture, prefix = ''): TrainingBatch =>
      trainingBatch(file, prefix, spec.fc);

    for (const [fixture, microBatch] of [
      ['a-tiny.training', 5],
      ['d-tiny.training', 6],
    ] as const) {
      it(`gives the gradient, losses and three updates of ${fixture}`, async () => {
        const reference = await readFixture(fixture);
        const { numbers } = reference.file;
        await withStep(reference, microBatch, async (step) => {
          for (const k of [0, 1, 2]) {
            const loss = await step.accumulate(batchOf(reference, `${k}.`), 1);
            expect(relativeError(Float32Array.of(loss), numbers(`${k}.loss`))).toBeLessThan(tolerance);
            if (k === 0) {
              const worst = worstTensor(await step.readGradient(), (tensor) =>
                numbers(`0.gradient.${tensor}`),
              );
              expect(worst.error, worst.name).toBeLessThan(tolerance);
            }
            await step.update(0.01);
          }
          const weights = worstTensor(await step.readWeights(), (tensor) => numbers(`after3.${tensor}`));
          expect(weights.error, weights.name).toBeLessThan(tolerance);
          const velocity = worstTensor(await step.readVelocity(), (tensor) => numbers(`velocity3.${tensor}`));
          expect(velocity.error, velocity.name).toBeLessThan(tolerance);
        });
      });
    }

    for (const [what, fixture, microBatch] of [
      ['one box shared by all classes', 'd-tiny-scr.training', 4],
      ['a box for each class', 'd-tiny-pcr.training', 4],
      ['pictures of one colour, where every pooling window is a tie', 'a-tiny-flat.training', 2],
    ] as const) {
      it(`gives loss and gradient of ${what}`, async () => {
        const reference = await readFixture(fixture);
        const { numbers } = reference.file;
        await withStep(reference, microBatch, async (step) => {
          const loss = await step.accumulate(batchOf(reference), 1);
          expect(relativeError(Float32Array.of(loss), numbers('loss'))).toBeLessThan(tolerance);
          const worst = worstTensor(await step.readGradient(), (tensor) => numbers(`gradient.${tensor}`));
          expect(worst.error, worst.name).toBeLessThan(tolerance);
        });
      });
    }

    it('accumulates micro-batches to the gradient of the whole batch', async () => {
      const batch = batchOf(d, '0.');
      await withStep(d, 2, async (step) => {
        let loss = 0;
        for (const part of [0, 1, 2]) loss += await step.accumulate(picturesOf(batch, 2 * part, 2), 1 / 3);
        expect(relativeError(Float32Array.of(loss / 3), d.file.numbers('0.loss'))).toBeLessThan(tolerance);
        const worst = worstTensor(await step.readGradient(), (tensor) =>
          d.file.numbers(`0.gradient.${tensor}`),
        );
        expect(worst.error, worst.name).toBeLessThan(tolerance);
      });
    });

    it('starts a new gradient after an update', async () => {
      const still = { momentum: 0, weightDecay: 0 };
      const gradients = await withStep(
        a,
        5,
        async (step) => {
          await step.accumulate(batchOf(a, '1.'), 1);
          await step.update(0); // the weights stay where they are
          for (const { data } of (await step.readGradient()).values())
            expect(data.every((x) => x === 0)).toBe(true);
          await step.accumulate(batchOf(a, '0.'), 1);
          return step.readGradient();
        },
        still,
      );
      const worst = worstTensor(gradients, (tensor) => a.file.numbers(`0.gradient.${tensor}`));
      expect(worst.error, worst.name).toBeLessThan(tolerance);
    });

    it('adds the colour shift to the pixels before pre-processing', async () => {
      const { pixels, ...rest } = batchOf(a, '0.');
      const shift = [7, -5, 3];
      const darker = pixels.map((value) => Math.floor((value * 200) / 255) + 20);
      const shifted = darker.map((value, i) => value + shift[i % 3]!);
      const colourShift = Float32Array.from({ length: 15 }, (_, i) => shift[i % 3]!);
      const gradientOf = (batch: TrainingBatch): Promise<Weights> =>
        withStep(a, 5, async (step) => {
          await step.accumulate(batch, 1);
          return step.readGradient();
        });
      const expected = await gradientOf({ ...rest, pixels: shifted });
      const actual = await gradientOf({ ...rest, pixels: darker, colourShift });
      expect(worstTensor(actual, (tensor) => expected.get(tensor)!.data).error).toBeLessThan(tolerance);
    });

    it('prepares the pixels as the weights ask: channel order, scale, mean, standard deviation', async () => {
      // (x / 255 - mean) / std with first weights times 255 std is what the reference computes; BGR weights see B first.
      const std = [0.3, 0.2, 0.25] as const;
      const mean = [123.68, 116.779, 103.939].map((m) => m / 255);
      const bgr = (values: readonly number[]) => values.toReversed() as [number, number, number];
      const first = a.weights.get('features.0.weight')!;
      const data = first.data.map((_, i) => {
        const [channel, place] = [Math.floor(i / 9) % 3, i % 9];
        const rgbChannel = 2 - channel;
        return first.data[Math.floor(i / 27) * 27 + rgbChannel * 9 + place]! * 255 * std[rgbChannel]!;
      });
      const weights = new Map(a.weights).set('features.0.weight', { shape: first.shape, data });
      const preprocessing = {
        channelOrder: 'bgr',
        scale: 1 / 255,
        mean: bgr(mean),
        std: bgr(std),
      } as const;
      await withStep(
        { spec: a.spec, weights },
        5,
        async (step) => {
          const loss = await step.accumulate(batchOf(a, '0.'), 1);
          expect(relativeError(Float32Array.of(loss), a.file.numbers('0.loss'))).toBeLessThan(tolerance);
          const gradient = new Map(
            [...(await step.readGradient())].filter(([key]) => key !== 'features.0.weight'),
          );
          const worst = worstTensor(gradient, (tensor) => a.file.numbers(`0.gradient.${tensor}`));
          expect(worst.error, worst.name).toBeLessThan(tolerance);
        },
        { preprocessing },
      );
    });

    it('leaves the convolutions as they are where only the fully connected layers are trained', async () => {
      const changes = { trainable: 'fullyConnected' } as const;
      await withStep(
        d,
        6,
        async (step) => {
          await step.accumulate(batchOf(d, '0.'), 1);
          const gradient = new Map(
            [...(await step.readGradient())].filter(([tensor]) => /^classifier/.test(tensor)),
          );
          const worst = worstTensor(gradient, (tensor) => d.file.numbers(`0.gradient.${tensor}`));
          expect(gradient.size).toBe(6);
          expect(worst.error, worst.name).toBeLessThan(tolerance);
          await step.update(0.01);
          for (const [tensor, { data }] of await step.readWeights()) {
            const unchanged = relativeError(data, d.weights.get(tensor)!.data) === 0;
            expect(unchanged, tensor).toBe(/^features/.test(tensor));
          }
        },
        changes,
      );
    });

    it('goes on from saved weights and velocity, bit for bit', async () => {
      const runSteps = async (
        step: CopyingStep<TrainingStep>,
        ks: readonly number[],
      ): Promise<[Weights, Weights]> => {
        for (const k of ks) {
          await step.accumulate(batchOf(a, `${k}.`), 1);
          await step.update(1e-4);
        }
        return [await step.readWeights(), await step.readVelocity()];
      };
      const whole = await withStep(a, 5, (step) => runSteps(step, [0, 1, 2]));
      const [weights, velocity] = await withStep(a, 5, (step) => runSteps(step, [0, 1]));
      const resumed = await withStep({ spec: a.spec, weights }, 5, (step) => runSteps(step, [2]), {
        velocity,
      });
      expect(resumed).toEqual(whole);
    });

    it('keeps copies, and reads them in the names and shapes of the file', async () => {
      const before = new Map([...a.weights].map(([key, { data }]) => [key, data.slice()]));
      await withStep(a, 5, async (step) => {
        const first = await step.readWeights();
        expect([...first].map(([key, { shape }]) => [key, [...shape]])).toEqual(
          [...a.weights].map(([key, { shape }]) => [key, [...shape]]),
        );
        await step.accumulate(batchOf(a, '0.'), 1);
        await step.update(1e-6);
        expect(worstTensor(await step.readWeights(), (key) => before.get(key)!).error).toBeLessThan(0.1);
      });
      expect(worstTensor(a.weights, (key) => before.get(key)!).error).toBe(0);
    });

    it('reads a tensor when it is asked for, as often as it is, but not after the next call', async () => {
      await withStep(a, 5, async (copied, step) => {
        const expected = (await copied.readWeights()).get('features.0.weight')!;
        const numbersOf = (tensors: WeightSources): Float32Array =>
          copyOfTensor(tensors.get('features.0.weight')!).data;
        const later = 'expected its tensors to be read before its next call';
        const isRefused = (tensors: WeightSources, message: string): void => {
          expect(() => [...partsOf(tensors.get('features.0.weight')!)]).toThrow(
            expect.objectContaining({ code: 'ENGINE_FAILED', message: expect.stringContaining(message) }),
          );
        };
        const [weights, velocity] = [await step.readWeights(), await step.readVelocity()];
        for (let time = 0; time < 2; time++) expect(numbersOf(weights)).toEqual(expected.data);
        expect(numbersOf(velocity).every((x) => x === 0)).toBe(true);
        await step.accumulate(batchOf(a, '0.'), 1);
        isRefused(weights, later);
        const gradient = await step.readGradient();
        await step.update(0.01);
        isRefused(velocity, later);
        isRefused(gradient, later);
        const last = await step.readWeights();
        expect(numbersOf(last)).not.toEqual(expected.data);
        await step.dispose();
        isRefused(last, 'expected no call after its disposal');
      });
    });

    it('refuses weights that lack a tensor, or have it in another shape', async () => {
      const lacking = new Map(a.weights);
      lacking.delete('classifier.3.bias');
      const misshapen = new Map(a.weights).set('features.0.bias', { shape: [3], data: new Float32Array(3) });
      for (const weights of [lacking, misshapen]) {
        const refused = withStep({ spec: a.spec, weights }, 5, async () => {});
        await expect(refused).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
      }
    });

    it('refuses batches of another size and labels that are no class, and goes on', async () => {
      const good = batchOf(a, '0.');
      const { pixels, colourShift, dropout } = good;
      const wrong: [string, Partial<TrainingBatch>][] = [
        ['pixels: expected', { pixels: pixels.subarray(3) }],
        ['colourShift: expected 15', { colourShift: new Float32Array(colourShift.length + 1) }],
        ['labels: expected 5', { labels: Int32Array.of(0, 1, 2, 3) }],
        ['labels: expected 0 to 9, received 10', { labels: Int32Array.of(0, 1, 2, 3, 10) }],
        ['labels: expected 0 to 9, received -1', { labels: Int32Array.of(0, 1, 2, 3, -1) }],
        ['dropout[1]: expected', { dropout: [dropout[0], dropout[1].subarray(1)] }],
      ];
      await withStep(a, 5, async (step) => {
        for (const [message, part] of wrong) await refused(step.accumulate({ ...good, ...part }, 1), message);
        const loss = await step.accumulate(good, 1);
        expect(relativeError(Float32Array.of(loss), a.file.numbers('0.loss'))).toBeLessThan(tolerance);
      });
    });

    it('refuses a batch without the boxes that it learns, or with too few', async () => {
      const fixture = await readFixture('d-tiny-scr.training');
      const { boxes, ...rest } = batchOf(fixture);
      await withStep(fixture, 4, async (step) => {
        await refused(step.accumulate(rest, 1), 'boxes: expected 16 numbers for [4, 4], received none');
        await refused(step.accumulate({ ...rest, boxes: boxes!.subarray(4) }, 1), 'received 12');
      });
    });

    it('is disposed of once, and refuses every call from then on', async () => {
      await withStep(a, 5, async (step) => {
        await Promise.all([step.dispose(), step.dispose()]);
        const calls = [
          () => step.accumulate(batchOf(a, '0.'), 1),
          () => step.update(0.1),
          step.readWeights,
          step.readVelocity,
          step.readGradient,
        ];
        for (const call of calls) await refused(call(), 'expected no call after its disposal');
      });
    });
  });
}

async function refused(call: Promise<unknown>, message: string): Promise<void> {
  await expect(call).rejects.toMatchObject({
    code: 'ENGINE_FAILED',
    message: expect.stringContaining(message),
  });
}
