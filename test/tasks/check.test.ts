import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Job, NewJob } from '../../src/jobs/job.ts';
import { createJobCheck } from '../../src/tasks/check.ts';
import { writeTinyDataset, writeTinyNetworks } from '../evaluation/tiny.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { writeColourDataset } from '../training/pictures.ts';

const root = temporaryFolder();
beforeAll(async () => {
  await writeTinyDataset(root, 1);
  await writeTinyNetworks(root);
  writeColourDataset(join(root, 'colours'));
});

const check = (changes: Partial<NewJob>): Promise<Job['settings']> =>
  createJobCheck({
    weightsDir: join(root, 'weights'),
    datasetsDir: root,
    engine: 'auto',
    device: 'cpu',
    threads: 1,
    idleOnly: false,
  })({ type: 'evaluate', dataset: 'data', ensemble: 'mine', settings: {}, ...changes });

describe('a job that evaluates', () => {
  it('has all its settings', async () => {
    const settings = { scales: [32, 96], networks: ['b'], localise: true };
    expect(await check({ settings })).toEqual({ ...settings, split: 'val', flip: true, view: ['dense'] });
  });

  it.each<[Partial<NewJob>, string]>([
    [
      { settings: { scales: [16] } },
      'settings.scales: expected integers from 32 (the crop of a) to 96; received 16',
    ],
    [
      { settings: { scales: [999] } },
      'settings.scales: expected integers from 32 (the crop of a) to 96; received 999',
    ],
    [{ settings: { scales: [32, 32] } }, 'settings.scales: expected different ones; received 32 twice'],
    [{ settings: { networks: ['boxes'] } }, 'settings.networks: expected some of a, b; received "boxes"'],
    [
      { ensemble: 'big', settings: { localise: true } },
      'settings.localise: expected false, as big@1 has no box network; received true',
    ],
    [
      { settings: { colour: 1 } },
      'unknown field "settings.colour"; expected some of settings.split, settings.networks,',
    ],
    [{ dataset: 'nowhere' }, 'dataset: expected a folder under DATASETS_DIR, received "nowhere"'],
  ])('is refused before it waits where %j', async (changes, message) => {
    await expect(check(changes)).rejects.toMatchObject({
      code: 'INVALID_JOB',
      message: expect.stringContaining(message),
    });
  });
});

const training = { type: 'train', dataset: 'colours' } as const;

describe('a job that trains', () => {
  it('has all its settings, as they can be posted again', async () => {
    const settings = { architecture: 'A', crop: 32, scale: '32-48', rate: '0.01,5:0.001', microBatch: 64 };
    const stored = await check({ ...training, settings });
    expect(stored).toEqual({
      ...settings,
      width: 1,
      fc: 4096,
      batch: 256,
      epochs: 74,
      patience: 8,
      initialise: 'he',
      trainable: 'all',
      seed: 1,
      precision: 'fp32',
      threads: 1,
      workers: 1,
      cacheMb: 2048,
      skipBroken: 0.01,
    });
    expect(await check({ ...training, settings: stored })).toEqual(stored);
  });

  it('is like the network that it starts from, whose version it is based on when boxes are learnt', async () => {
    const stored = await check({ ...training, type: 'localise', settings: { from: 'mine@1/a', batch: 4 } });
    expect(stored).toMatchObject({ from: 'mine@1/a', base: 'mine@1', head: 'scr', crop: 32, batch: 4 });
    expect(await check({ ...training, type: 'localise', settings: stored })).toEqual(stored);
    const classes = await check({ ...training, settings: { from: 'mine@1/a', architecture: 'A' } });
    expect(classes).toMatchObject({ from: 'mine@1/a', crop: 32 });
    expect(classes).not.toHaveProperty('base');
    expect(classes).not.toHaveProperty('head');
  });

  it('is refused for all its settings at once', async () => {
    const settings = { head: 'scr', data: '/etc', list: '../list', base: 3, batch: 1e6, fc: 1e9, crop: 1e6 };
    const { message } = await refusal({ type: 'train', settings });
    for (const reason of [
      'unknown field "settings.head", "settings.data"; expected some of settings.from, settings.base,',
      'settings.list: expected a file in the data set\'s folder; received "../list"',
      'settings.base: expected text of 1 to 300 characters; received 3',
      'settings.batch: expected an integer from 1 to 65536; received 1000000',
      'settings.fc: expected an integer from 1 to 16384; received 1000000000',
      'settings.crop: expected an integer from 32 to 1024, a multiple of 32; received 1000000',
    ]) {
      expect(message).toContain(reason);
    }
  });

  it('is refused before it waits, with all reasons at once', async () => {
    const { message } = await refusal({
      type: 'train',
      ensemble: 'Not A Name',
      settings: { threads: 2, scale: 128, batch: 8, microBatch: 3 },
    });
    for (const reason of [
      'dataset: expected data to have the folder train/',
      'ensemble: expected lower-case letters, digits, - and _; received "Not A Name"',
      'settings.scale: expected at least the crop of 224; received 128',
      'settings.microBatch: expected a divisor of the batch of 8; received 3',
    ]) {
      expect(message).toContain(reason);
    }
  });

  it.each<[Partial<NewJob>, string]>([
    [{ type: 'localise' }, 'settings.from: expected text of 1 to 300 characters; received nothing'],
    [
      { type: 'localise', settings: { from: 'mine@1/a', head: 'classes' } },
      'settings.head: expected scr, pcr',
    ],
    [{ type: 'train', settings: { from: 'mine@1/z' } }, 'expected one of mine@1/a, mine@1/b, mine@1/boxes'],
    [
      { type: 'train', settings: { threads: 2 } },
      'settings.threads: expected at most JOB_THREADS (1); received 2',
    ],
    [
      { type: 'train', settings: { batch: '8' } },
      'settings.batch: expected an integer from 1 to 65536; received "8"',
    ],
    [{ type: 'train', settings: { from: 'mine@1/a', width: 2 } }, 'from: expected a network with width 2'],
  ])('is refused: %j', async (changes, message) => {
    expect((await refusal(changes)).message).toContain(message);
  });
});

/** Throws when the request is not refused. */
async function refusal(changes: Partial<NewJob>): Promise<Error> {
  const error = await check(changes).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'INVALID_JOB' });
  return error as Error;
}
