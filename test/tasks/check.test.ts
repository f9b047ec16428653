import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JobRequest } from '../../src/jobs/job.ts';
import { createJobCheck } from '../../src/tasks/check.ts';
import { writeTinyDataset, writeTinyNetworks } from '../evaluation/tiny.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const root = temporaryFolder();
beforeAll(async () => {
  await writeTinyDataset(root, 1);
  await writeTinyNetworks(root);
});

const check = (changes: Partial<JobRequest>): Promise<JobRequest['settings']> =>
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

  it.each<[Partial<JobRequest>, string]>([
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
      'unknown setting "settings.colour"; expected some of settings.split, settings.networks,',
    ],
    [{ dataset: 'nowhere' }, 'dataset: expected a folder under DATASETS_DIR, received "nowhere"'],
  ])('is refused before it waits where %j', async (changes, message) => {
    await expect(check(changes)).rejects.toMatchObject({
      code: 'INVALID_JOB',
      message: expect.stringContaining(message),
    });
  });
});

describe('a job that trains', () => {
  it('is refused before it waits, with all reasons at once', async () => {
    const settings = { head: 'scr', data: '/etc', list: '../list', base: 3, threads: 2, width: 0.1 };
    const refused = check({ type: 'train', ensemble: 'Not A Name', settings });
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_JOB' });
    const { message } = (await refused.catch((error: unknown) => error)) as Error;
    for (const reason of [
      'dataset: expected data to have the folder train/',
      'ensemble: expected lower-case letters, digits, - and _, received "Not A Name"',
      'settings.data: the data set is said by "dataset"',
      'settings.list: expected a file in the folder of the data set',
      'settings.base: expected NAME@VERSION',
      'settings.head: expected classes; a job of type "localise" trains boxes',
    ]) {
      expect(message).toContain(reason);
    }
  });

  it.each<[Partial<JobRequest>, string]>([
    [{ type: 'localise' }, 'settings.from: expected NAME@VERSION, whose boxes are to be learnt'],
    [{ type: 'train', settings: { from: 'mine@1/z' } }, 'expected one of mine@1/a, mine@1/b, mine@1/boxes'],
    [
      { type: 'train', settings: { threads: 2 } },
      'settings.threads: expected at most JOB_THREADS (1), received 2',
    ],
  ])('is refused where %j', async (changes, message) => {
    await expect(check(changes)).rejects.toMatchObject({
      code: 'INVALID_JOB',
      message: expect.stringContaining(message),
    });
  });
});
