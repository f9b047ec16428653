import pg from 'pg';
import { messageOf } from '../errors.ts';
import { type Database, databaseUnavailable, type Sql } from './database.ts';

/** A server that gives no answer for so long counts as gone. */
const answerTimeoutMs = 10_000;

/** The database at `postgres://user:password@host/name`. Connects when it is first asked. */
export function openPostgres(url: string): Database {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'verydeep',
    max: 5,
    connectionTimeoutMillis: answerTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
  });
  pool.on('error', () => undefined); // of a connection that rested: the next call says what is wrong

  return {
    exclusive: false,
    query: queryBy(pool).query,
    async transaction(work) {
      const client = await reachable(() => pool.connect());
      const sql = queryBy(client);
      let broken: Error | undefined;
      client.on('error', (error) => {
        broken = error;
      });
      try {
        await sql.query('BEGIN');
        const result = await work(sql);
        await sql.query('COMMIT');
        return result;
      } catch (error) {
        await sql.query('ROLLBACK').catch((cause: Error) => {
          broken = cause;
        });
        throw error;
      } finally {
        client.removeAllListeners('error');
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
}

// --- helpers ---

function queryBy(client: pg.Pool | pg.PoolClient): Sql {
  return {
    async query<Row>(text: string, values?: readonly unknown[]) {
      const result = await reachable(() => client.query(text, values as unknown[]));
      return (Array.isArray(result) ? result.at(-1) : result).rows as Row[];
    },
  };
}

/** Errors that PostgreSQL answers with are bugs of the statement, but for those by which it says that it is not there. */
async function reachable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    const answered = cause instanceof pg.DatabaseError && !/^(08|53|57P)/.test(cause.code ?? '');
    if (answered) throw cause;
    throw databaseUnavailable(`the database of jobs cannot be reached: ${messageOf(cause)}`, cause);
  }
}
