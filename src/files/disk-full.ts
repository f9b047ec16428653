import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { VerydeepError } from '../errors.ts';

/**
 * What is thrown where writing `bytes` to `path` failed: DISK_FULL for a full disk, a used-up quota or a limit on the size
 * of files, with what is missing and what to do, else the error itself.
 */
export function asDiskFull(error: unknown, path: string, bytes: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const problem = problemOf(code, path, bytes);
  if (problem === undefined) return error;
  const message = `${problem} and do it again (a training: --resume); what was there before is unharmed`;
  return new VerydeepError('DISK_FULL', message, { cause: error });
}

// --- helpers ---

function problemOf(code: string | undefined, path: string, bytes: number): string | undefined {
  const folder = dirname(path);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `expected ${bytes} bytes free in ${folder} to write ${path}, ${freeBytes(folder)} are left (${code}): make room`;
    case 'EFBIG':
      return `expected to write ${bytes} bytes to ${path}, a file must not get so large here (${code}): raise the limit (ulimit -f)`;
    default:
      return undefined;
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
