import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { VerydeepError } from '../errors.ts';

/**
 * What is thrown where writing `bytes` to `path` failed: DISK_FULL for a full disk or a used-up quota, with what is
 * missing and what to do, else the error itself.
 */
export function asDiskFull(error: unknown, path: string, bytes: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  const folder = dirname(path);
  const message =
    `expected ${bytes} bytes free in ${folder} to write ${path}, ${freeBytes(folder)} are left (${code}): ` +
    'make room and do it again (a training: --resume); what was there before is unharmed';
  return new VerydeepError('DISK_FULL', message, { cause: error });
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
