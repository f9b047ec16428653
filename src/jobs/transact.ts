import type { Database, Sql } from '../database/database.ts';
import type { StateEvent } from './job.ts';
import type { JobQueue } from './queue.ts';
import type { JobRow } from './store.ts';

/** A transaction in which jobs change their states. */
export interface Transaction {
  readonly sql: Sql;
  readonly queue: JobQueue;
  /** Filled with the jobs that have changed their state. */
  readonly moves: Move[];
}

/** A job in its new state. */
export interface Move {
  readonly row: JobRow;
  readonly event: StateEvent;
}

export type Transact = <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>;

/** Returns what runs transactions, and tells of each job's new state once it is committed. */
export function createTransact(database: Database, queue: JobQueue, onMove: (move: Move) => void): Transact {
  return async (work) => {
    const moves: Move[] = [];
    const result = await database.transaction((sql) => work({ sql, queue, moves }));
    for (const move of moves) onMove(move);
    return result;
  };
}
