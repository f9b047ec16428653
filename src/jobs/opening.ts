import type { Database } from '../database/database.ts';
import { isVerydeepError, messageOf, VerydeepError } from '../errors.ts';
import type { JobQueue } from './queue.ts';
import { migrate } from './schema.ts';
import type { Transact } from './transact.ts';
import { putBackLost } from './transitions.ts';

/** Returns what brings the database up to date, once; until it has succeeded, each call tries again. */
export function createPreparation(
  database: Database,
  queue: JobQueue,
  transact: Transact,
): () => Promise<void> {
  let prepared = false;
  return async () => {
    if (prepared) return;
    await queue.start();
    await migrate(database);
    if (database.exclusive) await transact((transaction) => putBackLost(transaction, true));
    prepared = true;
  };
}

/**
 * Tries to prepare at the start of the service. A server that cannot be reached is waited for, and the service goes on
 * meanwhile. Throws INVALID_SETTINGS, with the database closed, if it refuses.
 */
export async function prepareAtStart(
  prepare: () => Promise<void>,
  database: Database,
  dataDir: string,
  onError: (error: unknown) => void,
): Promise<void> {
  try {
    await prepare();
  } catch (error) {
    if (!isUnavailable(error) || database.exclusive) {
      await database.close();
      const setting = database.exclusive ? `DATA_DIR: the database in ${dataDir}` : 'DATABASE_URL';
      throw new VerydeepError('INVALID_SETTINGS', `${setting}: ${messageOf(error)}`, { cause: error });
    }
    onError(error);
  }
}

/** Whether a database cannot be reached at the moment. */
export function isUnavailable(error: unknown): boolean {
  return isVerydeepError(error, 'JOBS_UNAVAILABLE');
}
