import { rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../../errors.ts';
import { makeFolder } from '../../files/make-folder.ts';
import { invalidOption } from '../../options/invalid-option.ts';

/**
 * Makes the folder of a file to be written and tries it, so that what cannot be written is known before hours of work.
 * Throws INVALID_OPTION.
 */
export async function prepareFile(option: string, path: string): Promise<void> {
  const expected = 'a file that can be written';
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) throw invalidOption(option, expected, `${path}: a folder`);
  try {
    makeFolder(dirname(path));
    const trial = `${path}.${process.pid}.tmp`;
    await writeFile(trial, '');
    await rm(trial);
  } catch (error) {
    throw invalidOption(option, expected, `${path}: ${messageOf(error)}`);
  }
}

/** The same of a folder for files. Throws INVALID_OPTION. */
export async function prepareFolder(option: string, path: string): Promise<void> {
  try {
    makeFolder(path);
    const trial = `${path}/.${process.pid}.tmp`;
    await writeFile(trial, '');
    await rm(trial);
  } catch (error) {
    throw invalidOption(option, 'a folder that can be written', `${path}: ${messageOf(error)}`);
  }
}
