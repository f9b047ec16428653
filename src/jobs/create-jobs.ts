import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import { isVerydeepError, messageOf, VerydeepError } from '../errors.ts';
import type { Job, JobRequest, JobState, Jobs } from './job.ts';
import { type JobProgram, outputName } from './process.ts';
import { createQueue } from './queue.ts';
import { type JobRun, type RunTiming, startRun } from './run.ts';
import { migrate } from './schema.ts';
import { countJobs, jobOf, listJobs, readEvents } from './store.ts';
import { cancel, foundJob, putBackLost, queueNew, resume, take } from './transitions.ts';

export interface JobsOptions {
  /** Folder of the jobs' files. */
  readonly dataDir: string;
  /** Of all replicas; closed at the end. */
  readonly database: Database;
  /** Checks a request and answers its settings with all defaults. Throws INVALID_JOB with all reasons. */
  readonly check: (request: JobRequest) => Promise<JobRequest['settings']>;
  /** Runs one job; at most one at a time. */
  readonly program: JobProgram;
  /** The database failed, and the service goes on without it for now. */
  readonly onError: (error: unknown) => void;
  readonly timing?: Partial<JobsTiming>;
}

export interface JobsTiming extends RunTiming {
  /** Time between two looks at the queue, and at the events of a job that somebody follows. */
  readonly pollMs: number;
}

const usualTiming: JobsTiming = { leaseMs: 10_000, reportMs: 1000, graceMs: 10_000, pollMs: 500 };

/** Events that are read at a time, and the end of a log that is answered. */
const eventsPerRead = 500;
const maxLogBytes = 2 ** 20;

/**
 * Opens the queue of jobs and works on it. Throws INVALID_SETTINGS where the database refuses; a server that cannot be
 * reached is waited for.
 */
export async function createJobs(options: JobsOptions): Promise<Jobs> {
  const { dataDir, database, check, program, onError } = options;
  const timing = { ...usualTiming, ...options.timing };
  const queue = createQueue(database);
  const stopping = new AbortController();
  const folderOf = (id: string): string => join(dataDir, 'jobs', id);
  let run: JobRun | undefined;
  let wake = (): void => undefined;

  let prepared = false;
  async function prepare(): Promise<void> {
    if (prepared) return;
    await queue.start();
    await migrate(database);
    if (database.exclusive) await database.transaction((sql) => putBackLost(sql, queue, true));
    prepared = true;
  }
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

  /** A runner may not have been able to say that it is alive while the database was away, or before this start. */
  let lossesCountFrom = database.exclusive ? 0 : performance.now() + timing.leaseMs;
  let complaint = '';
  const failed = (error: unknown): void => {
    lossesCountFrom = performance.now() + timing.leaseMs;
    if (messageOf(error) !== complaint) onError(error); // said once, not at each try
    complaint = messageOf(error);
  };

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await prepare();
        if (performance.now() >= lossesCountFrom)
          await database.transaction((sql) => putBackLost(sql, queue));
        const runner = randomUUID();
        const job = await database.transaction((sql) => take(sql, queue, runner, timing.leaseMs));
        complaint = '';
        if (job !== undefined) {
          const folder = folderOf(job.id);
          const { signal } = stopping;
          run = startRun({ job, runner, folder, program, database, queue, timing, signal, onError: failed });
          await run.ended;
          run = undefined;
          continue;
        }
      } catch (error) {
        failed(error);
      }
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([woken, delay(timing.pollMs)]);
    }
  }
  const working = work();

  const use = async <T>(call: () => Promise<T>): Promise<T> => {
    await prepare();
    return call();
  };
  return {
    async create(request) {
      const settings = await check(request);
      const row = await use(() =>
        database.transaction((sql) => queueNew(sql, queue, randomUUID(), { ...request, settings })),
      );
      wake();
      return jobOf(row);
    },
    list: () => use(async () => (await listJobs(database)).map(jobOf)),
    get: (id) => use(async () => jobOf(await foundJob(database, id))),
    async cancel(id) {
      const row = await use(() => database.transaction((sql) => cancel(sql, queue, id)));
      run?.hurry();
      return jobOf(row);
    },
    async resume(id) {
      const row = await use(() => database.transaction((sql) => resume(sql, queue, id)));
      wake();
      return jobOf(row);
    },
    async *events(id, sequence, signal) {
      let last = sequence;
      await use(() => foundJob(database, id));
      while (!signal.aborted) {
        try {
          // The state first: events that come between the two are read.
          const { state } = await foundJob(database, id);
          const events = await readEvents(database, id, last, eventsPerRead);
          for (const event of events) {
            yield event;
            last = event.sequence;
          }
          if (events.length === eventsPerRead) continue;
          if (hasEnded(state)) return;
        } catch (error) {
          if (!isUnavailable(error)) throw error; // the reader waits with us
        }
        await delay(timing.pollMs, undefined, { signal }).catch(() => undefined);
      }
    },
    async log(id) {
      const job = await use(() => foundJob(database, id));
      return (await endOf(join(folderOf(job.id), outputName))) ?? notHere(jobOf(job), dataDir);
    },
    counts: () => use(() => countJobs(database)),
    running: () => (run ? [run.state()] : []),
    async stop() {
      stopping.abort();
      wake();
      await working;
      await database.close();
    },
  };
}

// --- helpers ---

function hasEnded(state: JobState): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}

function isUnavailable(error: unknown): boolean {
  return isVerydeepError(error, 'JOBS_UNAVAILABLE');
}

/** The last megabyte of a file; undefined where there is none. */
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

function notHere(job: Job, dataDir: string): string {
  if (job.startedAt === undefined) return '';
  return `The log is a file in the DATA_DIR of the replica that ran the job; it is not in ${dataDir} of this one.\n`;
}
