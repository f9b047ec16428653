import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../../src/commands/train.ts';
import { lockFile } from '../../src/files/lock.ts';

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
