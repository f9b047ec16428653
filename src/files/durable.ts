import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asDiskFull } from './disk-full.ts';

/**
 * Writes under a temporary name (`PATH.PID.tmp`), syncs, renames, syncs the folder: a crash leaves the old file or the
 * new one, never half of one, and what was answered stays. Throws DISK_FULL.
 */
export async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }); // on a full disk its room is needed
    throw asDiskFull(error, path, Buffer.byteLength(bytes));
  }
  await syncFolder(dirname(path));
}

/** A rename is durable once the folder that lists the name is. Windows cannot open folders. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
