import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { setPriority } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { messageOf, VerydeepError } from '../errors.ts';
import type { Database, Sql } from './database.ts';
import type { Statement, StatementResult } from './embedded-protocol.ts';

/** Opening it takes a second, and five the first time; a minute and more were seen on a machine with ten times the work. */
const startTimeoutMs = 300_000;

/**
 * PostgreSQL in WebAssembly, with its files in `folder/database`, in a process of its own. Throws INVALID_SETTINGS where
 * another process uses the folder or it cannot be opened. A process that dies is started again when it is next asked.
 */
export async function openEmbedded(folder: string): Promise<Database> {
  let host = await mkdir(folder, { recursive: true })
    .then(() => startProcess(folder))
    .catch((error: unknown) => {
      throw new VerydeepError('INVALID_SETTINGS', `DATA_DIR: ${messageOf(error)}`, { cause: error });
    });
  /** One connection: statements of a transaction must not be mixed with others. */
  let turn: Promise<unknown> = Promise.resolve();
  let closed = false;
  const inTurn = <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const result = turn.then(async () => {
      if (closed) throw gone();
      if (!host.alive()) {
        host = await startProcess(folder).catch((cause: unknown) => {
          throw new VerydeepError('JOBS_UNAVAILABLE', messageOf(cause), { cause, retryAfterSeconds: 5 });
        });
      }
      return work(host);
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
      await host.end();
    },
  };
}

// --- helpers ---

interface DatabaseProcess extends Sql {
  alive(): boolean;
  end(): Promise<void>;
}

interface Pending {
  readonly resolve: (rows: never[]) => void;
  readonly reject: (error: Error) => void;
}

async function startProcess(folder: string): Promise<DatabaseProcess> {
  const child = forkProcess(folder);
  const ended = once(child, 'exit');
  const pending = new Map<number, Pending>();
  let nextId = 0;
  let alive = true;
  const lose = (): void => {
    alive = false;
    for (const { reject } of pending.values()) reject(gone());
    pending.clear();
  };
  child.once('exit', lose);
  child.once('error', lose);
  child.on('message', ({ id, rows, error }: StatementResult) => {
    const call = pending.get(id);
    pending.delete(id);
    if (error === undefined) call?.resolve((rows ?? []) as never[]);
    else call?.reject(new Error(error));
  });
  const answerTo = <Row>(id: number): Promise<Row[]> =>
    new Promise((resolve, reject) => pending.set(id, { resolve, reject }));

  const opened = answerTo(nextId++);
  const timer = setTimeout(() => child.kill('SIGKILL'), startTimeoutMs);
  await opened.finally(() => clearTimeout(timer));
  if (child.pid !== undefined) setPriority(child.pid, 10); // answers of the service come first

  return {
    alive: () => alive,
    query<Row>(text: string, values?: readonly unknown[]) {
      if (!alive) return Promise.reject(gone());
      const id = nextId++;
      const answer = answerTo<Row>(id);
      const statement: Statement = { id, text, ...(values && values.length > 0 && { values }) };
      child.send(statement, (error) => error && lose());
      return answer;
    },
    async end() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

function gone(): VerydeepError {
  return new VerydeepError('JOBS_UNAVAILABLE', 'the process of the embedded database has ended', {
    retryAfterSeconds: 5,
  });
}

/** Runs `embedded-process.ts` (through tsx) when this file is TypeScript, `embedded-process.js` when it is built. */
function forkProcess(folder: string): ChildProcess {
  const fromSource = import.meta.url.endsWith('.ts');
  const loader = () => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const entry = new URL(fromSource ? './embedded-process.ts' : './embedded-process.js', import.meta.url);
  return fork(fileURLToPath(entry), [folder], {
    execArgv: fromSource ? ['--import', loader()] : [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}
