import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../errors.ts';
import { invalidDataset } from './listing.ts';

/** Far more than any file of text beside the images has; a device file or a wrong path would fill the memory. */
const maxBytes = 2 ** 29;

/** The lines of a text file without the empty ones at the end, or `undefined` if it is absent. Throws INVALID_DATASET. */
export async function readLines(path: string): Promise<string[] | undefined> {
  const text = await readText(path, maxBytes);
  return text?.replace(/\s+$/, '').split(/\r?\n/);
}

/** A text file, or `undefined` if it is absent. Throws INVALID_DATASET if it is longer than `most` bytes. */
export async function readText(path: string, most: number): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > most) throw new Error(`expected at most ${most} bytes, it has ${size}`);
    return await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw invalidDataset(`${path}: cannot be read: ${messageOf(cause)}`, cause);
  }
}
