import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../src/commands/train.ts';
import { lockFile } from '../../src/files/lock.ts';
import { writeTinyEnsemble } from '../ensembles/tiny.ts';

it('refuses the folder of a training that still runs', async () => {
  const out = await mkdtemp(join(tmpdir(), 'verydeep-train-'));
  const lock = await lockFile(join(out, 'lock'), 0);
  try {
    const training = run(['--data', 'nowhere', '--out', out, '--engine', 'onnx']);
    await expect(training).rejects.toMatchObject({
      code: 'INVALID_SETTINGS',
      message: expect.stringContaining(`it is in use by process ${process.pid}`),
    });
  } finally {
    lock.release();
    await rm(out, { recursive: true });
  }
});

it('refuses what no machine can do at once, in the words of a job', async () => {
  const argv = ['--data', 'nowhere', '--out', 'nowhere', '--batch', '1000000', '--fc', '1000000000'];
  await expect(run([...argv, '--crop', '1000000', '--micro-batch', '0'])).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: [
      '--fc: expected an integer from 1 to 16384; received 1000000000',
      '--crop: expected an integer from 32 to 1024, a multiple of 32; received 1000000',
      '--batch: expected an integer from 1 to 65536; received 1000000',
      '--micro-batch: expected an integer from 1 to 4096; received 0',
    ].join('. '),
  });
});

it.each([
  [['--scale', '512-256'], '--scale: expected a side from 1 to 4096 in pixels'],
  [['--rate', 'fast'], '--rate: expected a learning rate over 0 and below 10'],
  [
    ['--batch', '10', '--micro-batch', '4'],
    '--micro-batch: expected a divisor of the batch of 10; received 4',
  ],
  [['--head', 'scr'], '--from: expected a trained classification network'],
])('refuses %j', async (argv, message) => {
  await expect(run(['--data', 'nowhere', '--out', 'nowhere', ...argv])).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining(message),
  });
});

describe('a training from a network of an ensemble', () => {
  it('has its shape, unless it says otherwise', async () => {
    const weights = await mkdtemp(join(tmpdir(), 'verydeep-weights-'));
    try {
      await writeTinyEnsemble(weights);
      const train = (...argv: string[]) =>
        run([
          '--data',
          'nowhere',
          '--out',
          join(weights, 'out'),
          '--weights',
          weights,
          '--engine',
          'onnx',
          ...argv,
        ]);
      // The crop of 32 is the source's; nothing but the data set is missing.
      await expect(train('--from', 'tiny@1/a', '--scale', '16')).rejects.toThrow('at least the crop of 32');
      await expect(train('--from', 'tiny@1/a')).rejects.toMatchObject({ code: 'INVALID_DATASET' });
      await expect(train('--from', 'tiny@1/nobody')).rejects.toThrow(/expected one of tiny@1\/a, tiny@1\/b/);
      await expect(train('--from', 'unknown')).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
    } finally {
      await rm(weights, { recursive: true });
    }
  });
});
