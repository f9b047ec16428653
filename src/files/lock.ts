import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { VerydeepError } from '../errors.ts';
import { makeFolder } from './make-folder.ts';

export interface FileLock {
  release(): void;
}

/** Time between two tries. */
const retryMs = 100;

/**
 * Takes the lock that the file `path` stands for, waiting up to `timeoutMs` for another process that holds it. Others are
 * told `holder`: who has it. The
 * system releases it when the process ends, however it ends, so that no lock outlives its holder (`flock`). Throws
 * INVALID_SETTINGS if it is still held then. Windows has no such lock: there it is taken at once.
 */
export async function lockFile(
  path: string,
  timeoutMs: number,
  holder = `process ${process.pid}`,
): Promise<FileLock> {
  makeFolder(dirname(path));
  // A plain descriptor: a FileHandle that nobody refers to is closed with the garbage, and the lock with it.
  const file = openSync(path, 'a+');
  const tryLock = await flock();
  const giveUpAt = performance.now() + timeoutMs;
  while (!tryLock(file)) {
    if (performance.now() >= giveUpAt) {
      closeSync(file);
      const other = readFileSync(path, 'utf8').trim();
      throw new VerydeepError(
        'INVALID_SETTINGS',
        `expected ${dirname(path)} to be used by one process, it is in use by ${other}`,
      );
    }
    await delay(retryMs);
  }
  ftruncateSync(file);
  writeSync(file, `${holder}\n`);
  return { release: () => closeSync(file) };
}

// --- helpers ---

/** Returns a function that tries to lock the file of a descriptor. */
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
