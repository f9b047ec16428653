import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyOfWeights } from '../../src/network/weights.ts';
import { readCheckpoint } from '../../src/training/checkpoint.ts';
import type { TrainingEvent } from '../../src/training/events.ts';
import { readTrainedNetwork } from '../../src/training/run-folder.ts';
import { parseSettings, type TrainingSettingsInput } from '../../src/training/settings.ts';
import { type TrainOptions, train } from '../../src/training/train.ts';
import { createLinearEngine, createLinearStep } from './linear.ts';
import { writeColourDataset } from './pictures.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'verydeep-'));
  writeColourDataset(join(folder, 'data'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  readonly out: string;
  readonly resume?: boolean;
  readonly settings?: Partial<TrainingSettingsInput>;
  readonly onEvent?: (event: TrainingEvent) => void;
  readonly signal?: AbortSignal;
}

function start({ out, resume = false, settings, onEvent, signal }: Run): ReturnType<typeof train> {
  const options: TrainOptions = {
    settings: parseSettings({
      data: join(folder, 'data'),
      architecture: 'A',
      width: 1 / 64,
      fc: 3,
      crop: 32,
      scale: { min: 32, max: 36 },
      batch: 6,
      epochs: 4,
      initialise: 'he',
      rate: '0.05',
      ...settings,
    }),
    out: join(folder, out),
    resume,
    command: 'verydeep train',
    createStep: createLinearStep,
    engine: createLinearEngine(),
    limits: { maxFileBytes: 1e6, maxPixels: 1e6 },
    onEvent: onEvent ?? (() => undefined),
    signal: signal ?? new AbortController().signal,
  };
  return train(options);
}

const bytesOf = (out: string, name = 'checkpoint.safetensors'): Buffer =>
  readFileSync(join(folder, out, name));

const weightsIn = async (out: string) => copyOfWeights((await readTrainedNetwork(join(folder, out))).weights);

describe('training', () => {
  it('learns, and leaves the best network with its description', async () => {
    const events: TrainingEvent[] = [];
    const description = await start({
      out: 'learns',
      settings: { epochs: 12 },
      onEvent: (e) => events.push(e),
    });
    expect(description!.metrics.accuracy).toBe(1);

    const network = await readTrainedNetwork(join(folder, 'learns'));
    expect(network.labels).toEqual(['blue', 'green', 'red']);
    expect(network.trainingScale).toEqual({ min: 32, max: 36 });
    expect(network.spec).toMatchObject({ architecture: 'A', classes: 3, head: 'classes' });
    expect(network.weights.get('classifier.6.weight')!.shape).toEqual([3, 3]);

    const kinds = events.map(({ type }) => type);
    expect(kinds.filter((type) => type === 'epoch')).toHaveLength(12);
    expect(kinds.filter((type) => type === 'step')).toHaveLength(12 * 4);
    expect(kinds.at(-1)).toBe('done');
    const epochs = events.filter((event) => event.type === 'epoch');
    expect(epochs.at(-1)!.trainingLoss).toBeLessThan(epochs[0]!.trainingLoss / 2);
    const log = readFileSync(join(folder, 'learns/log.jsonl'), 'utf8').trim().split('\n');
    expect(log.map((line) => JSON.parse(line).type)).toEqual(kinds.filter((type) => type !== 'loading'));
  });

  it('ends in the same bytes when it is run twice, cached or not', async () => {
    await start({ out: 'once' });
    await start({ out: 'twice' });
    expect(bytesOf('twice').equals(bytesOf('once'))).toBe(true);
    await start({ out: 'uncached', settings: { cacheBytes: 0 } });
    expect(bytesOf('uncached', 'network.safetensors').equals(bytesOf('once', 'network.safetensors'))).toBe(
      true,
    );
    await start({ out: 'otherwise', settings: { seed: 2 } });
    expect(bytesOf('otherwise').equals(bytesOf('once'))).toBe(false);
  });

  it('ends in the same bytes when it is interrupted and resumed', async () => {
    await start({ out: 'whole' });
    for (const stopAt of [3, 4, 9]) {
      const out = `stopped${stopAt}`;
      const controller = new AbortController();
      let steps = 0;
      const description = await start({
        out,
        signal: controller.signal,
        onEvent: (event) => event.type === 'step' && ++steps === stopAt && controller.abort(),
      });
      expect(description).toBeUndefined();
      await start({ out, resume: true });
      expect(bytesOf(out).equals(bytesOf('whole'))).toBe(true);
      expect(bytesOf(out, 'network.safetensors').equals(bytesOf('whole', 'network.safetensors'))).toBe(true);
    }
  });

  it('can be resumed for more epochs, but not with other settings', async () => {
    await start({ out: 'more', settings: { epochs: 2 } });
    await expect(start({ out: 'more', resume: true, settings: { batch: 3 } })).rejects.toThrow(
      /these differ: batch$/,
    );
    await start({ out: 'more', resume: true });
    expect(bytesOf('more', 'network.safetensors').equals(bytesOf('whole', 'network.safetensors'))).toBe(true);
  });

  it('stops where it diverges and keeps the last good checkpoint', async () => {
    const events: TrainingEvent[] = [];
    const settings = { rate: '0.05,3:9.9', initialise: 'gaussian', epochs: 400 } as const;
    await expect(start({ out: 'diverges', settings, onEvent: (e) => events.push(e) })).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
      message: expect.stringContaining('last good checkpoint'),
    });
    const kept = events.findLast((event) => event.type === 'checkpoint')!;
    const { header, velocity } = await readCheckpoint(join(folder, 'diverges/checkpoint.safetensors'));
    expect(header.state.epoch).toBe(kept.epoch);
    expect(velocity!.size).toBeGreaterThan(0);
  });

  it('sums micro-batches to the same update', async () => {
    await start({ out: 'parts', settings: { microBatch: 2 } });
    const [whole, parts] = await Promise.all(['whole', 'parts'].map(weightsIn));
    // Other dropout masks, which this network ignores; all else is equal but for the order of the sums.
    whole!.get('classifier.6.weight')!.data.forEach((value, i) => {
      expect(parts!.get('classifier.6.weight')!.data[i]!).toBeCloseTo(value, 4);
    });
  });

  it.each([
    ['another S', { min: 48, max: 48 }],
    ['a range of S', { min: 32, max: 64 }],
  ])(
    'goes on at %s from all layers of a trained network, with its pre-processing (paper, 3.1)',
    async (_, scale) => {
      const from = join(folder, 'learns');
      // So low a rate leaves every number as it was copied.
      const settings = { from, scale, rate: '1e-30', epochs: 1, seed: 2 };
      const out = `from${scale.min}`;
      await start({ out, settings });
      const [source, network] = await Promise.all([from, join(folder, out)].map(readTrainedNetwork));
      expect(network!.trainingScale).toEqual(scale);
      expect(network!.preprocessing).toEqual(source!.preprocessing);
      expect(await weightsIn(out)).toEqual(await weightsIn('learns'));
    },
  );

  it('fine-tunes a box network from a classification network, with a fresh last layer', async () => {
    for (const head of ['scr', 'pcr'] as const) {
      const description = await start({
        out: head,
        settings: { head, from: join(folder, 'learns'), rate: '0.02', epochs: 6 },
      });
      expect(description!.spec.head).toBe(head);
      const weights = await weightsIn(head);
      expect(weights.get('classifier.6.weight')!.shape).toEqual([head === 'scr' ? 4 : 12, 3]);
      const source = await weightsIn('learns');
      expect(weights.get('features.0.weight')).toEqual(source.get('features.0.weight'));
    }
  });

  it('refuses a folder that has a run, a resume without one, and a network that does not fit', async () => {
    await expect(start({ out: 'learns' })).rejects.toThrow('has a checkpoint already');
    await expect(start({ out: 'nothing', resume: true })).rejects.toThrow(
      'expected a checkpoint to resume from',
    );
    const from = join(folder, 'learns');
    await expect(start({ out: 'other', settings: { from, width: 1 / 32 } })).rejects.toThrow(
      'expected a network with width 0.03125',
    );
  });
});
