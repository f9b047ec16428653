import { open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asDiskFull } from './disk-full.ts';

/** What a large file is to hold: `bytes` in all, made part by part. A part is written or copied before the next is asked for. */
export interface Parts {
  readonly bytes: number;
  readonly parts: Iterable<Uint8Array>;
}

/**
 * Writes under a temporary name (`PATH.PID.tmp`), syncs, renames, syncs the folder: a crash leaves the old file or the
 * new one, never half of one, and what was answered stays. Throws DISK_FULL.
 */
export async function writeDurably(path: string, content: Uint8Array | string | Parts): Promise<void> {
  const isInParts = typeof content === 'object' && 'parts' in content;
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w');
    try {
      await writeFile(file, isInParts ? gathered(content.parts) : content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }); // on a full disk its room is needed
    throw asDiskFull(error, path, isInParts ? content.bytes : Buffer.byteLength(content));
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

// --- helpers ---

/** Bytes of one write. */
const writeBytes = 2 ** 20;

/** Small parts together, so that a write is worth its while. */
function* gathered(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  const buffer = new Uint8Array(writeBytes);
  let filled = 0;
  for (const part of parts) {
    if (filled + part.length > buffer.length) {
      yield buffer.subarray(0, filled);
      filled = 0;
    }
    if (part.length > buffer.length) {
      yield part;
    } else {
      buffer.set(part, filled);
      filled += part.length;
    }
  }
  yield buffer.subarray(0, filled);
}
