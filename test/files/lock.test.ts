import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFile } from '../../src/files/lock.ts';
import { type Child, startChild } from '../processes/running.ts';

let folder: string;
let path: string;
let holder: Child | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'verydeep-'));
  path = join(folder, 'run', 'lock'); // its folder is made
});
afterEach(() => {
  holder?.kill('SIGKILL');
  holder = undefined;
  rmSync(folder, { recursive: true });
});

/** Another process that has the lock. */
async function startHolder(): Promise<Child> {
  ({ child: holder } = await startChild(new URL('./lock-child.ts', import.meta.url), path));
  return holder;
}

describe.skipIf(process.platform === 'win32')('a lock', () => {
  it('that another process holds is refused with its number', async () => {
    const { pid } = await startHolder();
    await expect(lockFile(path, 0)).rejects.toMatchObject({
      code: 'INVALID_SETTINGS',
      message: `expected ${join(folder, 'run')} to be used by one process, it is in use by process ${pid}`,
    });
  });

  it('is waited for until its holder releases it', async () => {
    const other = await startHolder();
    const waiting = lockFile(path, 50_000);
    other.stdin.end();
    const lock = await waiting;
    expect(readFileSync(path, 'utf8')).toBe(`process ${process.pid}\n`);
    lock.release();
  });

  it('does not outlive a holder that is killed, although its file does', async () => {
    const other = await startHolder();
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect(readFileSync(path, 'utf8')).toBe(`process ${other.pid}\n`);
    const lock = await lockFile(path, 0);
    expect(readFileSync(path, 'utf8')).toBe(`process ${process.pid}\n`);
    lock.release();
  });

  it('is one even within a process, until it is released', async () => {
    const lock = await lockFile(path, 0);
    await expect(lockFile(path, 0)).rejects.toMatchObject({ code: 'INVALID_SETTINGS' });
    lock.release();
    (await lockFile(path, 0)).release();
  });
});
