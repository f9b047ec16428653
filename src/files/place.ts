import { constants } from 'node:fs';
import { copyFile, link, open, realpath, stat } from 'node:fs/promises';
import { asDiskFull } from './disk-full.ts';

/**
 * Gives a file that never changes a second name: a hard link if the file system can, else a copy. Synced; the folder is
 * not. Throws if `target` exists, and DISK_FULL.
 */
export async function placeFile(source: string, target: string): Promise<void> {
  const file = await realpath(source); // a link to a link would be one too
  try {
    await link(file, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    // Another file system, one without links, or a file that belongs to somebody else.
    const { size } = await stat(file);
    await copyFile(file, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE).catch(
      (cause: unknown) => {
        throw asDiskFull(cause, target, size);
      },
    );
  }
  const placed = await open(target);
  try {
    await placed.sync();
  } finally {
    await placed.close();
  }
}
