import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';

export interface RegularFile {
  readonly descriptor: number;
  readonly bytes: number;
}

/**
 * Opens a file for reading. Throws if it is no regular one: a pipe would be waited for, a device such as `/dev/zero`
 * be read without end. Links are followed.
 */
export function openRegularFile(path: string): RegularFile {
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const stats = fstatSync(descriptor);
  if (stats.isFile()) return { descriptor, bytes: stats.size };
  closeSync(descriptor);
  throw new Error(`expected a regular file, received ${kindOf(stats)}`);
}

/** The bytes of a small file. Throws if it is no regular one. */
export function readRegularFile(path: string): Buffer {
  const { descriptor } = openRegularFile(path);
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

// --- helpers ---

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  return stats.isFIFO() ? 'a pipe' : 'a device';
}
