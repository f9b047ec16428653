/**
 * The program of the embedded database: PGlite, in a process of its own (docs/adr/0007-jobs.md). It ends when its parent has gone,
 * in whatever way; until then nobody else can open its folder.
 */
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { messageOf } from '../errors.ts';
import { lockFile } from '../files/lock.ts';
import type { Statement, StatementResult } from './embedded-protocol.ts';

// A Ctrl-C goes to the whole process group: the parent still has jobs to write down then.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

/** The process of a predecessor that was killed is gone within this time. */
const lockTimeoutMs = 5000;

const send = (result: StatementResult): void =>
  void process.send!(result, undefined, undefined, () => undefined);
const folder = process.argv[2]!;

try {
  const lock = await lockFile(join(folder, 'database.lock'), lockTimeoutMs);
  const database = await PGlite.create(join(folder, 'database'));
  let previous: Promise<unknown> = Promise.resolve();
  process.on('message', (statement: Statement) => {
    previous = previous.then(() => run(database, statement)).then(send);
  });
  process.on('disconnect', () => {
    void previous.then(() => database.close()).finally(() => lock.release());
  });
  send({ id: 0 });
} catch (error) {
  send({ id: 0, error: reasonOf(error) });
  process.disconnect();
}

async function run(database: PGlite, { id, text, values }: Statement): Promise<StatementResult> {
  try {
    const result =
      values === undefined ? (await database.exec(text)).at(-1) : await database.query(text, [...values]);
    return { id, rows: result?.rows ?? [] };
  } catch (error) {
    return { id, error: reasonOf(error) };
  }
}

/** What PGlite's file system throws is no Error, and has WASI's numbers. */
function reasonOf(error: unknown): string {
  const { errno } = Object(error) as { errno?: unknown };
  if (error instanceof Error || errno === undefined) return messageOf(error);
  const full = 51;
  return errno === full ? 'the disk is full' : `error ${errno} of its file system`;
}
