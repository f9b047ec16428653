import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job } from './job.ts';
import { outputName } from './process.ts';

/** Of a log the end is returned. */
const maxLogBytes = 2 ** 20;

/** What a job's process printed into its folder: the last megabyte, or why it is not here. */
export async function readLog({ startedAt }: Job, folder: string): Promise<string> {
  const text = await endOf(join(folder, outputName));
  if (text !== undefined) return text;
  if (startedAt === undefined) return '';
  return `The log is a file in the DATA_DIR of the replica that ran the job; there is no ${folder} here.\n`;
}

// --- helpers ---

/** Undefined if there is no such file. */
async function endOf(path: string): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - maxLogBytes);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - start), position: start });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
