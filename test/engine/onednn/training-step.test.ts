import { beforeAll, expect, it } from 'vitest';
import { createOnednnTrainingStep } from '../../../src/engine/onednn/training-step.ts';
import type { TrainingStep, TrainingStepOptions } from '../../../src/engine/training-step.ts';
import type { Weights } from '../../../src/network/weights.ts';
import { type CopyingStep, copying } from '../copying-step.ts';
import { tinyOptions } from '../parallel/tiny.ts';
import { readFixture, relativeError, trainingBatch } from '../reference-values.ts';
import { describeTrainingStep } from '../training-contract.ts';
import { makeAndDrop, smallBatch, smallOptions } from './dropped-networks.ts';
import { describeOnednn } from './library.ts';
import { residentBytes } from './resident-bytes.ts';

describeOnednn('oneDNN', () => {
  describeTrainingStep('training step in fp32', createOnednnTrainingStep);
});

const createStep = async (options: TrainingStepOptions) => copying(await createOnednnTrainingStep(options));

describeOnednn('oneDNN training step', () => {
  let fixture: Awaited<ReturnType<typeof readFixture>>;
  beforeAll(async () => {
    fixture = await readFixture('d-tiny.training');
  });

  const optionsWith = (changes: Partial<TrainingStepOptions> = {}): TrainingStepOptions => ({
    ...tinyOptions(fixture),
    threads: 1,
    ...changes,
  });
  const batch = (k: number) => trainingBatch(fixture.file, `${k}.`, fixture.spec.fc);

  async function trained(step: CopyingStep<TrainingStep>): Promise<Weights> {
    for (const k of [0, 1, 2]) {
      await step.accumulate(batch(k), 1);
      await step.update(1e-4);
    }
    const weights = await step.readWeights();
    await step.dispose();
    return weights;
  }

  for (const precision of ['fp32', 'bf16'] as const) {
    it(`ends in the same weights twice, bit for bit, in ${precision}`, async () => {
      const options = optionsWith({ precision, threads: 2 });
      const first = await trained(await createStep(options));
      const second = await trained(await createStep(options));
      expect(second).toEqual(first);
    });
  }

  it('stays near fp32 in bf16: 8 bits of fraction through 16 layers', async () => {
    const step = await createStep(optionsWith({ precision: 'bf16' }));
    expect(step.name).toMatch(/^onednn 3\.\d+\.\d+ bf16$/);
    const { numbers } = fixture.file;
    expect(
      relativeError(Float32Array.of(await step.accumulate(batch(0), 1)), numbers('0.loss')),
    ).toBeLessThan(0.02);
    for (const [name, { data }] of await step.readGradient()) {
      expect(relativeError(data, numbers(`0.gradient.${name}`)), name).toBeLessThan(0.4);
    }
    await step.dispose();
  });

  it('keeps fp32 master weights in bf16: updates too small for bf16 add up', async () => {
    const still = { momentum: 0, weightDecay: 0, precision: 'bf16' } as const;
    const step = await createStep(optionsWith(still));
    const before = (await step.readWeights()).get('classifier.6.weight')!.data;
    for (let i = 0; i < 10; i++) {
      await step.accumulate(batch(0), 1);
      await step.update(1e-7);
    }
    const gradient = fixture.file.numbers('0.gradient.classifier.6.weight');
    const expected = gradient.map((g) => -1e-6 * g);
    const after = (await step.readWeights()).get('classifier.6.weight')!.data;
    const moved = after.map((w, i) => w - before[i]!);
    expect(relativeError(moved, expected)).toBeLessThan(0.2);
    await step.dispose();
  });

  it('answers zeros as gradient and velocity of frozen layers', async () => {
    const step = await createStep(optionsWith({ trainable: 'fullyConnected' }));
    await step.accumulate(batch(0), 1);
    await step.update(1e-3);
    await step.accumulate(batch(1), 1);
    for (const read of [step.readGradient, step.readVelocity]) {
      for (const [name, { data }] of await read()) {
        expect(
          data.some((x) => x !== 0),
          name,
        ).toBe(name.startsWith('classifier'));
      }
    }
    await step.dispose();
  });

  it('trains on a crop of 32, where the last map is one pixel', async () => {
    const step = await createOnednnTrainingStep(smallOptions);
    expect(await step.accumulate(smallBatch, 1)).toBeGreaterThan(0);
    await step.dispose();
  });

  it('refuses to touch its gradient after its disposal', async () => {
    const { gradient, dispose } = await createStep(optionsWith());
    await dispose();
    const refusal = expect.objectContaining({ code: 'ENGINE_FAILED' });
    expect(() => gradient.read(new Float32Array(gradient.length))).toThrow(refusal);
    expect(() => gradient.write(new Float32Array(1), 0)).toThrow(refusal);
  });

  it('frees everything: memory stays flat over networks made and dropped', async () => {
    await makeAndDrop(60); // caches of oneDNN, libc and V8 fill
    const before = residentBytes();
    await makeAndDrop(200);
    // 100 MB would remain if nothing were freed, 30 MB if a third were not.
    expect(residentBytes() - before).toBeLessThan(30e6);
  });
});
