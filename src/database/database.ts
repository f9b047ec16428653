import { VerydeepError } from '../errors.ts';

/** Runs SQL: a database, or a transaction of it. */
export interface Sql {
  /** Rows of the last statement. Without values there may be several statements. */
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * PostgreSQL, as a server or embedded. Every call throws JOBS_UNAVAILABLE while it cannot be reached, and reaches it
 * again by itself when it is back.
 */
export interface Database extends Sql {
  /** Nobody else can have it open, so that jobs which run in it at the start are nobody's. */
  readonly exclusive: boolean;
  /** Commits what `work` did, or nothing of it where it throws. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The error of a call while the database cannot be reached. */
export function databaseUnavailable(message: string, cause?: unknown): VerydeepError {
  return new VerydeepError('JOBS_UNAVAILABLE', message, { cause, retryAfterSeconds: 5 });
}
