import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { VerydeepError } from '../errors.ts';

export interface FileLock {
  release(): Promise<void>;
}

/** Time between two tries. */
const retryMs = 100;

/**
 * Takes the lock that the file `path` stands for, waiting up to `timeoutMs` for another process that holds it. The
 * system releases it when the process ends, however it ends, so that no lock outlives its holder (`flock`). Throws
 * INVALID_SETTINGS where it is still held then. Windows has no such lock: there it is taken at once.
 */
export async function lockFile(path: string, timeoutMs: number): Promise<FileLock> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'a+');
  const tryLock = await flock();
  const giveUpAt = performance.now() + timeoutMs;
  while (!tryLock(file.fd)) {
    if (performance.now() >= giveUpAt) {
      await file.close();
      const holder = (await readFile(path, 'utf8')).trim();
      throw new VerydeepError(
        'INVALID_SETTINGS',
        `expected ${dirname(path)} to be used by one process, it is in use by process ${holder}`,
      );
    }
    await delay(retryMs);
  }
  await file.truncate(0);
  await file.write(`${process.pid}\n`);
  return { release: () => file.close() };
}

/** Answers a function that tries to lock the file of a descriptor. */
async function flock(): Promise<(fd: number) => boolean> {
  if (process.platform === 'win32') return () => true;
  const { default: koffi } = await import('koffi');
  const call = koffi.load(null).func('int flock(int fd, int operation)') as (
    fd: number,
    op: number,
  ) => number;
  const exclusive = 2;
  const nonBlocking = 4;
  return (fd) => call(fd, exclusive | nonBlocking) === 0;
}
