/**
 * The program of the embedded database: PGlite, in a process of its own (docs/adr/0007-jobs.md). It answers the calls of
 * embedded.ts. Until it has ended, nobody else can open its folder.
 */
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { messageOf } from '../errors.ts';
import { type FileLock, lockFile } from '../files/lock.ts';
import { answerCalls } from '../processes/answer-calls.ts';
import { useLowPriority } from '../processes/priority.ts';
import type { DatabaseCalls, Statement } from './embedded-protocol.ts';

/** The process of a predecessor that was killed is gone within this time. */
const lockTimeoutMs = 5000;

let lock: FileLock | undefined;
let database: PGlite | undefined;

answerCalls<DatabaseCalls>(
  async (request) => {
    try {
      if (request.call === 'open') return await open(request.argument);
      if (request.call === 'close') return await close();
      return await query(request.argument);
    } catch (error) {
      throw knownError(error);
    }
  },
  { whenAlone: close },
);

async function open(folder: string): Promise<undefined> {
  // People know the server, not the process of its database.
  const holder = `process ${process.ppid} (its database is process ${process.pid})`;
  lock = await lockFile(join(folder, 'database.lock'), lockTimeoutMs, holder);
  database = await PGlite.create(join(folder, 'database'));
  useLowPriority(); // answers of the service come first
}

async function query({ text, values }: Statement): Promise<readonly unknown[]> {
  const result =
    values === undefined ? (await database!.exec(text)).at(-1) : await database!.query(text, [...values]);
  return result?.rows ?? [];
}

async function close(): Promise<undefined> {
  await database?.close();
  lock?.release();
}

/** What PGlite's file system throws is no Error, and has WASI's numbers. */
function knownError(error: unknown): Error {
  if (error instanceof Error) return error;
  const { errno } = Object(error) as { errno?: unknown };
  if (errno === undefined) return new Error(messageOf(error));
  const full = 51;
  return new Error(errno === full ? 'the disk is full' : `error ${errno} of its file system`);
}
