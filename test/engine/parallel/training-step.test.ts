import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type EngineName, engines } from '../../../src/engine/engines.ts';
import {
  createParallelTrainingStep,
  type ParallelTrainingStep,
} from '../../../src/engine/parallel/training-step.ts';
import type { TrainingBatch, TrainingStep, TrainingStepOptions } from '../../../src/engine/training-step.ts';
import type { Weights } from '../../../src/network/weights.ts';
import { isRunning, startChild } from '../../processes/running.ts';
import { type CopyingStep, copying } from '../copying-step.ts';
import { describeOnednn } from '../onednn/library.ts';
import { picturesOf, readFixture, relativeError, trainingBatch, worstTensor } from '../reference-values.ts';
import { createTinyParallelStep, tinyOptions } from './tiny.ts';

type Fixture = Awaited<ReturnType<typeof readFixture>>;

let d: Fixture;
beforeAll(async () => {
  d = await readFixture('d-tiny.training');
});

const batchOf = ({ file, spec }: Fixture, prefix: string): TrainingBatch =>
  trainingBatch(file, prefix, spec.fc);

/** An update after each of these batches; answers their losses. */
async function train(
  step: Pick<TrainingStep, 'accumulate' | 'update'>,
  ks: readonly number[] = [0, 1, 2],
): Promise<number[]> {
  const losses: number[] = [];
  for (const k of ks) {
    losses.push(await step.accumulate(batchOf(d, `${k}.`), 1));
    await step.update(1e-5);
  }
  return losses;
}

/** All numbers of a network in one row. */
const flat = (weights: Weights): Float32Array =>
  Float32Array.from([...weights.values()].flatMap(({ data }) => [...data]));

function digest(weights: Weights): string {
  const hash = createHash('sha256');
  for (const [name, { data }] of weights) hash.update(name).update(data);
  return hash.digest('hex');
}

async function withStep<T>(
  engine: EngineName,
  workers: number,
  changes: Partial<TrainingStepOptions>,
  use: (step: CopyingStep<ParallelTrainingStep>) => Promise<T>,
): Promise<T> {
  const step = await createParallelTrainingStep({ ...tinyOptions(d), ...changes }, { engine, workers });
  try {
    return await use(copying(step));
  } finally {
    await step.dispose();
  }
}

function describeWorkers(engine: EngineName): void {
  for (const workers of [2, 3]) {
    it(`gives the reference's gradient and one process's three updates with ${workers} workers`, async () => {
      const single = copying(await engines.createTrainingStep(engine, tinyOptions(d)));
      const expected = await train(single);
      await withStep(engine, workers, {}, async (step) => {
        const loss = await step.accumulate(batchOf(d, '0.'), 1);
        const { numbers } = d.file;
        expect(relativeError(Float32Array.of(loss), numbers('0.loss'))).toBeLessThan(1e-6);
        const worst = worstTensor(await step.readGradient(), (name) => numbers(`0.gradient.${name}`));
        expect(worst.error, worst.name).toBeLessThan(1e-5);

        await step.update(1e-5);
        const losses = [loss, ...(await train(step, [1, 2]))];
        expect(relativeError(Float32Array.from(losses), Float32Array.from(expected))).toBeLessThan(1e-6);
        const [weights, velocity] = [await step.readWeights(), await step.readVelocity()];
        expect(relativeError(flat(weights), flat(await single.readWeights()))).toBeLessThan(1e-6);
        // Of gradients, whose sums cancel.
        expect(relativeError(flat(velocity), flat(await single.readVelocity()))).toBeLessThan(5e-6);
        const digests = await Promise.all(
          step.pids.map(async (_, rank) => digest(await step.readWeights(rank))),
        );
        expect(new Set(digests).size).toBe(1);
      });
      await single.dispose();
    });
  }

  it('ends in the same weights twice, and from saved weights and velocity, bit for bit', async () => {
    const whole = await withStep(engine, 3, {}, async (step) => {
      await train(step);
      return [await step.readWeights(), await step.readVelocity()];
    });
    const [weights, velocity] = await withStep(engine, 3, {}, async (step) => {
      await train(step, [0]);
      return [await step.readWeights(), await step.readVelocity()];
    });
    const resumed = await withStep(engine, 3, { weights: weights!, velocity: velocity! }, async (step) => {
      await train(step, [1, 2]);
      return [await step.readWeights(), await step.readVelocity()];
    });
    expect(resumed.map(digest)).toEqual(whole.map(digest));
    expect(digest(whole[0]!)).not.toBe(digest(weights!));
  });

  it('accumulates micro-batches to the gradient of the whole batch', async () => {
    const batch = batchOf(d, '0.');
    await withStep(engine, 3, { microBatch: 3 }, async (step) => {
      let loss = 0;
      for (const part of [0, 1]) loss += (await step.accumulate(picturesOf(batch, 3 * part, 3), 1 / 2)) / 2;
      expect(relativeError(Float32Array.of(loss), d.file.numbers('0.loss'))).toBeLessThan(1e-6);
      const worst = worstTensor(await step.readGradient(), (name) => d.file.numbers(`0.gradient.${name}`));
      expect(worst.error, worst.name).toBeLessThan(1e-5);
    });
  });

  it.each(['scr', 'pcr'])('gives loss and gradient of boxes, %s', async (head) => {
    const fixture = await readFixture(`d-tiny-${head}.training`);
    const { spec, weights } = fixture;
    await withStep(engine, 2, { spec, weights, microBatch: 4 }, async (step) => {
      const loss = await step.accumulate(batchOf(fixture, ''), 1);
      expect(relativeError(Float32Array.of(loss), fixture.file.numbers('loss'))).toBeLessThan(1e-5);
      const worst = worstTensor(await step.readGradient(), (name) =>
        fixture.file.numbers(`gradient.${name}`),
      );
      expect(worst.error, worst.name).toBeLessThan(1e-5);
    });
  });

  it('leaves the convolutions as they are where only the fully connected layers are trained', async () => {
    await withStep(engine, 2, { trainable: 'fullyConnected' }, async (step) => {
      await train(step, [0]);
      for (const [name, { data }] of await step.readWeights()) {
        expect(relativeError(data, d.weights.get(name)!.data) === 0, name).toBe(/^features/.test(name));
      }
    });
  });
}

describe('training workers on onnxruntime', () => describeWorkers('onnx'));

describeOnednn('training workers on oneDNN', () => {
  describeWorkers('onednn');

  it('are as near to the reference in bf16 as one process is, and twice the same', async () => {
    const error = async (step: CopyingStep<TrainingStep>): Promise<number> => {
      await step.accumulate(batchOf(d, '0.'), 1);
      const gradient = await step.readGradient();
      const expected = flat(new Map([...gradient.keys()].map((name) => [name, referenceGradient(name)])));
      return relativeError(flat(gradient), expected);
    };
    const run = (): Promise<[number, string]> =>
      withStep('onednn', 2, { precision: 'bf16' }, async (step) => {
        const before = await error(step);
        await step.update(1e-5);
        await train(step, [1]);
        return [before, digest(await step.readWeights())];
      });
    const options = { ...tinyOptions(d), precision: 'bf16' } as const;
    const single = copying(await engines.createTrainingStep('onednn', options));
    const [parallel, first] = await run();
    expect(parallel / (await error(single))).toBeLessThan(1.5);
    expect((await run())[1]).toBe(first);
    await single.dispose();
  });
});

describe('training workers', () => {
  it('refuse a batch that they cannot divide, one of another size, and wrong weights', async () => {
    const create = (changes: Partial<TrainingStepOptions>, workers: number): Promise<ParallelTrainingStep> =>
      createParallelTrainingStep({ ...tinyOptions(d), ...changes }, { engine: 'onnx', workers });
    await expect(create({}, 4)).rejects.toThrow(
      expect.objectContaining({
        code: 'INVALID_SETTINGS',
        message: 'workers: expected a divisor of the micro-batch of 6, received 4',
      }),
    );
    const weights = new Map(d.weights);
    weights.delete('classifier.3.bias');
    await expect(create({ weights }, 2)).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
    // What a worker throws when it is created.
    await expect(create({ precision: 'bf16' }, 2)).rejects.toMatchObject({ code: 'INVALID_SETTINGS' });
    await withStep('onnx', 2, { microBatch: 4 }, async (step) => {
      await expect(step.accumulate(batchOf(d, '0.'), 1)).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    });
  });

  it('end together when one of them dies, at work and between two steps', async () => {
    for (const when of ['at work', 'between two steps']) {
      const step = await createTinyParallelStep(d, 3);
      await train(step, [0]);
      const call = when === 'at work' ? step.accumulate(batchOf(d, '1.'), 1) : undefined;
      process.kill(step.pids[1]!, 'SIGKILL');
      const lost = { code: 'WORKER_LOST', message: expect.stringContaining('training worker 2 of 3') };
      await expect(call ?? step.update(1e-5)).rejects.toMatchObject(lost);
      await expect(step.accumulate(batchOf(d, '1.'), 1)).rejects.toMatchObject({ code: 'WORKER_LOST' });
      await step.dispose();
      // No event tells of processes once their owner has let them go.
      await vi.waitUntil(() => !step.pids.some(isRunning), { timeout: 30_000 });
    }
  });

  it('end when their parent is killed', async () => {
    const { child: parent, line } = await startChild(new URL('./parent.ts', import.meta.url));
    const pids: number[] = JSON.parse(line);
    expect(pids.map(isRunning)).toEqual([true, true]);
    parent.kill('SIGKILL');
    await vi.waitUntil(() => !pids.some(isRunning), { timeout: 30_000 });
  });
});

// --- helpers ---

function referenceGradient(name: string) {
  const { shape } = d.weights.get(name)!;
  return { shape, data: d.file.numbers(`0.gradient.${name}`) };
}
