import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { weightsPathOf } from '../../src/ensembles/network.ts';
import { readRun } from '../../src/ensembles/run.ts';
import { openSafetensors } from '../../src/formats/safetensors/read.ts';
import { writeSafetensors } from '../../src/formats/safetensors/write.ts';
import { copyOfWeights } from '../../src/network/weights.ts';
import { readCheckpoint, writeCheckpoint } from '../../src/training/checkpoint.ts';
import type { TrainingEvent } from '../../src/training/events.ts';
import { writtenScale } from '../../src/training/setting-values.ts';
import { parseSettings, type TrainingSettingsInput } from '../../src/training/settings.ts';
import { type TrainOptions, train } from '../../src/training/train.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { createLinearEngine, createLinearStep } from './linear.ts';
import { writeColourDataset } from './pictures.ts';

const folder = temporaryFolder();
beforeAll(() => {
  writeColourDataset(join(folder, 'data'));
});

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
      scale: '32-36',
      batch: 6,
      epochs: 4,
      initialise: 'he',
      rate: 0.05,
      ...settings,
    }),
    out: join(folder, out),
    resume,
    command: 'verydeep train',
    findSource: readRun,
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

/** The network that a training left. */
const networkIn = (out: string) => readRun(join(folder, out)).network;
const networkBytes = (out: string): Buffer => bytesOf(out, networkIn(out).file);
const weightsIn = (out: string) =>
  copyOfWeights(openSafetensors(weightsPathOf(readRun(join(folder, out)))).tensors);

describe('training', () => {
  it('learns, and leaves the best network with its description', async () => {
    const events: TrainingEvent[] = [];
    const description = await start({
      out: 'learns',
      settings: { epochs: 12 },
      onEvent: (e) => events.push(e),
    });
    expect(description!.metrics!.accuracy).toBe(1);

    const { network, labels } = readRun(join(folder, 'learns'));
    expect(network).toEqual(description);
    expect(labels).toEqual(['blue', 'green', 'red']);
    expect(network.trainingScale).toEqual({ min: 32, max: 36 });
    expect(network).toMatchObject({ architecture: 'A', classes: 3, head: 'classes' });
    expect(weightsIn('learns').get('classifier.6.weight')!.shape).toEqual([3, 3]);

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
    await start({ out: 'uncached', settings: { cacheMb: 0 } });
    expect(networkBytes('uncached').equals(networkBytes('once'))).toBe(true);
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
      expect(networkBytes(out).equals(networkBytes('whole'))).toBe(true);
    }
  });

  it('can be resumed for more epochs, but not with other settings', async () => {
    await start({ out: 'more', settings: { epochs: 2 } });
    await expect(start({ out: 'more', resume: true, settings: { batch: 3 } })).rejects.toThrow(
      /these differ: batch$/,
    );
    await start({ out: 'more', resume: true });
    expect(networkBytes('more').equals(networkBytes('whole'))).toBe(true);
  });

  it('writes a network once, after its epoch, and keeps the one that the manifest names until there is another', async () => {
    const filesOf = (out: string): string[] =>
      readdirSync(join(folder, out)).filter((name) => /^epoch-|^manifest/.test(name));
    const best: number[] = [];
    const kept: string[][] = [];
    const onEvent = (event: TrainingEvent): void => {
      if (event.type === 'epoch' && event.best) best.push(event.epoch);
      if (event.type === 'step') kept.push(filesOf('epochs'));
    };
    await start({ out: 'epochs', settings: { epochs: 2, rate: '0.001,3:0.05' }, onEvent });
    const before = networkIn('epochs');
    expect(before.file).toBe(`epoch-${best.at(-1)}.safetensors`);
    expect(filesOf('epochs')).toEqual([before.file, 'manifest.json']);
    const { ino } = statSync(join(folder, 'epochs', before.file));

    kept.length = 0;
    await start({ out: 'epochs', resume: true, settings: { epochs: 12, rate: '0.001,3:0.05' }, onEvent });
    const after = networkIn('epochs');
    expect(after.file).not.toBe(before.file);
    expect(kept.length).toBeGreaterThan(0);
    for (const names of kept) {
      expect(names).toContain(before.file);
      expect(names.length).toBeLessThanOrEqual(3);
    }
    expect(filesOf('epochs')).toEqual([after.file, 'manifest.json']);
    expect(statSync(join(folder, 'epochs', after.file)).ino).not.toBe(ino);
  });

  it('goes on from a checkpoint whose settings have the names of before', async () => {
    await start({ out: 'before', settings: { epochs: 2 } });
    const path = join(folder, 'before', 'checkpoint.safetensors');
    const { header, weights, velocity } = await readCheckpoint(path);
    const { cacheMb: _, skipBroken: __, ...settings } = header.settings;
    const older = { ...settings, cacheBytes: 2 ** 31 };
    const rewritten = { ...header, settings: JSON.parse(JSON.stringify(older)) };
    // Beside it, as its tensors are read while they are written.
    await writeCheckpoint(`${path}.older`, { header: rewritten, weights, ...(velocity && { velocity }) });
    renameSync(`${path}.older`, path);
    await start({ out: 'before', resume: true });
    expect(networkBytes('before').equals(networkBytes('whole'))).toBe(true);
  });

  it('goes on from what a kill left between the best network and its checkpoint', async () => {
    await start({ out: 'between', settings: { epochs: 2 } });
    // As if the network of epoch 3 had been written, and not its checkpoint, by another machine.
    writeFileSync(join(folder, 'between', 'epoch-3.safetensors'), 'other bytes');
    writeFileSync(join(folder, 'between', 'epoch-9.safetensors.17.tmp'), 'half');
    await start({ out: 'between', resume: true });
    expect(networkBytes('between').equals(networkBytes('whole'))).toBe(true);
    const names = readdirSync(join(folder, 'between')).filter((name) => name.startsWith('epoch-'));
    expect(names).toEqual([networkIn('between').file]);
  });

  it('goes on from a folder of before there were manifests, and starts from one', async () => {
    await start({ out: 'old', settings: { epochs: 2 } });
    const { network, labels } = readRun(join(folder, 'old'));
    const path = (name: string): string => join(folder, 'old', name);
    const { header } = await readCheckpoint(path('checkpoint.safetensors'));
    const weights = weightsIn('old');
    await writeCheckpoint(path('best.safetensors'), { header, weights });
    await writeSafetensors(path('network.safetensors'), weights);
    const { architecture, width, fc, crop, head, classes, preprocessing, trainingScale, trainable, sha256 } =
      network;
    const { metrics, provenance } = network;
    const spec = { architecture, width, fc, crop, head, classes };
    const description = {
      format: 1,
      spec,
      preprocessing,
      labels,
      trainingScale,
      trainable,
      sha256,
      metrics,
      provenance,
    };
    rmSync(path('manifest.json'));
    rmSync(path(network.file));
    expect(() => readRun(join(folder, 'old'))).toThrow(
      expect.objectContaining({
        code: 'INVALID_WEIGHTS',
        message: expect.stringContaining('a finished training'),
      }),
    );
    for (const wrong of ['{}', '[]', '{', '{"format":1,"spec":{"architecture":"D","head":"scr"}}']) {
      writeFileSync(path('network.json'), wrong);
      expect(() => readRun(join(folder, 'old'))).toThrow(
        expect.objectContaining({ code: 'INVALID_WEIGHTS' }),
      );
    }
    writeFileSync(path('network.json'), JSON.stringify(description));

    expect(readRun(join(folder, 'old'))).toEqual({
      folder: join(folder, 'old'),
      labels,
      network: { ...network, file: 'network.safetensors' },
    });
    await start({ out: 'fromOld', settings: { from: join(folder, 'old'), rate: '1e-30', epochs: 1 } });
    expect(weightsIn('fromOld')).toEqual(weights);

    await start({ out: 'old', resume: true, settings: { epochs: 2 } });
    expect(networkIn('old')).toEqual(network);
    expect(weightsIn('old')).toEqual(weights);
    expect(readdirSync(join(folder, 'old')).sort()).toEqual(
      ['checkpoint.safetensors', network.file, 'log.jsonl', 'manifest.json'].sort(),
    );
  });

  it('does not start from a network that has changed', async () => {
    await start({ out: 'changed', settings: { epochs: 1 } });
    const path = join(folder, 'changed', networkIn('changed').file);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    const settings = { from: join(folder, 'changed') };
    await expect(start({ out: 'fromChanged', settings })).rejects.toMatchObject({
      code: 'INVALID_WEIGHTS',
      message: expect.stringContaining('expected sha256'),
    });
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
    const [whole, parts] = ['whole', 'parts'].map(weightsIn);
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
      const settings = { from, scale: writtenScale(scale), rate: 1e-30, epochs: 1, seed: 2 };
      const out = `from${scale.min}`;
      await start({ out, settings });
      const [source, network] = ['learns', out].map(networkIn);
      expect(network!.trainingScale).toEqual(scale);
      expect(network!.preprocessing).toEqual(source!.preprocessing);
      expect(weightsIn(out)).toEqual(weightsIn('learns'));
    },
  );

  it('fine-tunes a box network from a classification network, with a fresh last layer', async () => {
    for (const head of ['scr', 'pcr'] as const) {
      const description = await start({
        out: head,
        settings: { head, from: join(folder, 'learns'), rate: '0.02', epochs: 6 },
      });
      expect(description!.head).toBe(head);
      const weights = weightsIn(head);
      expect(weights.get('classifier.6.weight')!.shape).toEqual([head === 'scr' ? 4 : 12, 3]);
      const source = weightsIn('learns');
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
