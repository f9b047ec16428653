import { messageOf, VerydeepError } from '../errors.ts';
import { makeFolder } from '../files/make-folder.ts';
import { type CallableProcess, startCallableProcess } from '../processes/calls.ts';
import { programBeside } from '../processes/programs.ts';
import { type Database, databaseUnavailable, type Sql } from './database.ts';
import type { DatabaseCalls } from './embedded-protocol.ts';

/** Opening it takes a second, and five the first time; a minute and more were seen on a machine with ten times the work. */
const answerTimeoutMs = 300_000;

/**
 * PostgreSQL in WebAssembly, with its files in `folder/database`, in a process of its own. Throws INVALID_SETTINGS when
 * another process uses the folder or it cannot be opened. A process that dies is started again when it is next asked.
 */
export async function openEmbedded(folder: string): Promise<Database> {
  let host = await startProcess(folder).catch((error: unknown) => {
    throw new VerydeepError('INVALID_SETTINGS', `DATA_DIR: ${messageOf(error)}`, { cause: error });
  });
  /** One connection: statements of a transaction must not be mixed with others. */
  let turn: Promise<unknown> = Promise.resolve();
  let closed = false;
  const inTurn = <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const result = turn.then(async () => {
      if (closed) throw databaseUnavailable('the embedded database was closed');
      if (host.lost.aborted) {
        host = await startProcess(folder).catch((cause: unknown) => {
          throw databaseUnavailable(messageOf(cause), cause);
        });
      }
      return work(queryBy(host));
    });
    turn = result.catch(() => undefined);
    return result;
  };
  return {
    exclusive: true,
    query: (text, values) => inTurn((sql) => sql.query(text, values)),
    transaction: (work) =>
      inTurn(async (sql) => {
        await sql.query('BEGIN');
        try {
          const result = await work(sql);
          await sql.query('COMMIT');
          return result;
        } catch (error) {
          await sql.query('ROLLBACK').catch(() => undefined); // a process that died has forgotten it
          throw error;
        }
      }),
    async close() {
      await turn;
      closed = true;
      await host.call('close', undefined).catch(() => undefined); // one that died has nothing to close
      await host.end();
    },
  };
}

// --- helpers ---

type DatabaseProcess = CallableProcess<DatabaseCalls>;

async function startProcess(folder: string): Promise<DatabaseProcess> {
  makeFolder(folder);
  const host = startCallableProcess<DatabaseCalls>({
    program: programBeside(import.meta.url, './embedded-process'),
    name: 'embedded database',
    lostError: databaseUnavailable,
    answerTimeoutMs,
  });
  try {
    await host.call('open', folder);
    return host;
  } catch (error) {
    await host.end();
    throw error;
  }
}

function queryBy(host: DatabaseProcess): Sql {
  return {
    query: <Row>(text: string, values?: readonly unknown[]) =>
      host.call('query', { text, ...(values && values.length > 0 && { values }) }) as Promise<Row[]>,
  };
}
