import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../database/database.ts';
import { followEvents } from './follow.ts';
import type { Job, NewJob, StateEvent } from './job.ts';
import type { Jobs } from './jobs.ts';
import { listJobs } from './listing.ts';
import { readLog } from './log.ts';
import { createPreparation, prepareAtStart } from './opening.ts';
import type { JobProgram } from './process.ts';
import { createQueue } from './queue.ts';
import { countJobs, type JobRow, jobOf } from './store.ts';
import { createTransact, type Transaction } from './transact.ts';
import { cancel, foundJob, queueNew, remove, resume } from './transitions.ts';
import { type JobsTiming, startWorker } from './worker.ts';

export interface JobsOptions {
  /** Folder of the jobs' files. */
  readonly dataDir: string;
  /** Of all replicas; closed at the end. */
  readonly database: Database;
  /** Checks a request and returns its settings with all defaults. Throws INVALID_JOB with all reasons. */
  readonly check: (request: NewJob) => Promise<Job['settings']>;
  /** Runs one job; at most one at a time. */
  readonly program: JobProgram;
  /** The database failed, and the service goes on without it for now; or a job's process said something unexpected. */
  readonly onError: (error: unknown) => void;
  /** This replica has moved a job to another state. */
  readonly onState: (job: Job, event: StateEvent) => void;
  readonly timing?: Partial<JobsTiming>;
}

const usualTiming: JobsTiming = { leaseMs: 10_000, reportMs: 1000, graceMs: 10_000, pollMs: 500 };

/**
 * Opens the queue of jobs and works on it. Throws INVALID_SETTINGS if the database refuses; a server that cannot be
 * reached is waited for.
 */
export async function createJobs(options: JobsOptions): Promise<Jobs> {
  const { dataDir, database, check, program, onError, onState } = options;
  const timing = { ...usualTiming, ...options.timing };
  const queue = createQueue(database);
  const transact = createTransact(database, queue, ({ row, event }) => onState(jobOf(row), event));
  const prepare = createPreparation(database, queue, transact);
  await prepareAtStart(prepare, database, dataDir, onError);
  const folderOf = (id: string): string => join(dataDir, 'jobs', id);
  const { exclusive } = database;
  const worker = startWorker({ prepare, transact, exclusive, program, folderOf, timing, onError });

  const change = async (work: (transaction: Transaction) => Promise<JobRow>): Promise<Job> => {
    await prepare();
    return jobOf(await transact(work));
  };
  const get = async (id: string): Promise<Job> => {
    await prepare();
    return jobOf(await foundJob(database, id));
  };
  return {
    async create(request) {
      const settings = await check(request);
      const job = await change((transaction) =>
        queueNew(transaction, randomUUID(), { ...request, settings }),
      );
      worker.wake();
      return job;
    },
    async list(query) {
      await prepare();
      return listJobs(database, query);
    },
    get,
    async cancel(id) {
      const job = await change((transaction) => cancel(transaction, id));
      worker.reportNow();
      return job;
    },
    async resume(id) {
      const job = await change((transaction) => resume(transaction, id));
      worker.wake();
      return job;
    },
    async delete(id) {
      await prepare();
      await transact((transaction) => remove(transaction, id));
      // Its process may be dying still.
      await rm(folderOf(id), { recursive: true, force: true, maxRetries: 10 });
    },
    async *events(id, sequence, signal) {
      await get(id);
      yield* followEvents(database, id, sequence, signal, timing.pollMs);
    },
    log: async (id) => readLog(await get(id), folderOf(id)),
    async counts() {
      await prepare();
      return countJobs(database);
    },
    running() {
      const job = worker.running();
      return job ? [job] : [];
    },
    async stop() {
      await worker.stop();
      await database.close();
    },
  };
}
