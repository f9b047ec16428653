import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import type { JobProgress, RunningJob } from './job.ts';
import { type JobProgram, type Outcome, startJobProcess } from './process.ts';
import type { JobQueue } from './queue.ts';
import { appendEvents, changeJob, type JobRow, lockJob, type NewEvent, renewLease } from './store.ts';
import { end, putBack } from './transitions.ts';

export interface RunOptions {
  /** A job that was taken by `runner`. */
  readonly job: JobRow;
  readonly runner: string;
  readonly folder: string;
  readonly program: JobProgram;
  readonly database: Database;
  readonly queue: JobQueue;
  readonly timing: RunTiming;
  /** Aborted: the service stops; the job goes back to the queue with a checkpoint. */
  readonly signal: AbortSignal;
  /** The database gave an error; the job goes on, its events wait. */
  readonly onError: (error: unknown) => void;
}

export interface RunTiming {
  /** A runner that is not heard of for so long has lost its job. */
  readonly leaseMs: number;
  /** Time between two reports to the database. */
  readonly reportMs: number;
  /** A process that was told to stop is killed after so long. */
  readonly graceMs: number;
}

export interface JobRun {
  state(): RunningJob;
  /** Reports, and hears what is asked, at once. */
  hurry(): void;
  /** The job has ended, or belongs to somebody else; its process has gone. */
  readonly ended: Promise<void>;
}

/** Events that may wait for the database: beyond, steps are left out. */
const maxPendingSteps = 10_000;

/**
 * Runs a job's process and reports to the database: that it is alive, and its events, in their order. While the database
 * cannot be reached the process goes on and its events wait here. Who has lost the lease kills its process and says nothing more.
 */
export function startRun(options: RunOptions): JobRun {
  const { job, runner, folder, program, database, queue, timing, signal, onError } = options;
  const pending: NewEvent[] = [];
  let told: RunningJob = { id: job.id, type: job.type };
  let outcome: Outcome | undefined;
  let cancelling = false;
  let wake = (): void => undefined;

  const child = startJobProcess(program, job, folder, ({ type, ...data }) => {
    told = afterEvent(told, type, data);
    if (type !== 'step' || pending.length < maxPendingSteps) {
      pending.push({ time: new Date().toISOString(), type, data });
    }
  });
  void child.ended.then((how) => {
    outcome = how;
    wake();
  });
  const stop = (): void => child.stop(timing.graceMs);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();

  /** Answers whether the job is still this runner's. The same report may be sent again: it is stored once. */
  async function send(number: number, events: readonly NewEvent[]): Promise<boolean> {
    return database.transaction(async (sql) => {
      const row = await lockJob(sql, job.id);
      if (row?.runner !== runner) return false;
      await renewLease(sql, job.id, timing.leaseMs);
      cancelling = row.cancelling;
      if (row.reports >= number) return true;
      await appendEvents(sql, job.id, events);
      const saved = events.some(({ type }) => type === 'checkpoint');
      await changeJob(sql, job.id, {
        reports: number,
        ...(told.progress && { progress: told.progress }),
        ...(saved && { starts: 0 }),
      });
      return true;
    });
  }

  async function settle(how: Outcome): Promise<void> {
    await database.transaction(async (sql) => {
      const row = await lockJob(sql, job.id);
      if (row?.runner !== runner) return; // was settled, and the answer lost
      if (how.type === 'done') await end(sql, queue, job.id, 'done', { result: how.result });
      else if (how.type === 'failed') await end(sql, queue, job.id, 'failed', { error: how.error });
      else if (row.cancelling) await end(sql, queue, job.id, 'cancelled');
      else if (signal.aborted) await putBack(sql, queue, job.id, 'the service stops', { starts: 0 });
      else
        await putBack(sql, queue, job.id, `its process ${how.type === 'crashed' ? how.reason : 'stopped'}`);
    });
  }

  async function report(): Promise<void> {
    for (let number = 1; ; number++) {
      const events = [...pending];
      const last = outcome;
      for (;;) {
        try {
          if (!(await send(number, events))) return child.kill();
          pending.splice(0, events.length);
          if (last === undefined || pending.length > 0) break;
          return await settle(last);
        } catch (error) {
          onError(error);
          if (last && signal.aborted) return; // the lease will tell
          await delay(timing.reportMs);
        }
      }
      if (cancelling) stop();
      if (outcome === undefined) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([woken, delay(timing.reportMs)]);
      }
    }
  }

  const ended = report().finally(async () => {
    await child.gone;
    signal.removeEventListener('abort', stop);
  });
  return { state: () => told, hurry: () => wake(), ended };
}

// --- helpers ---

function afterEvent(told: RunningJob, type: string, data: Record<string, unknown>): RunningJob {
  if (type === 'step') {
    const { epoch, step, steps, imagesPerSecond, etaSeconds, loss } = data as unknown as JobProgress & {
      loss: number;
    };
    return { ...told, progress: { epoch, step, steps, imagesPerSecond, etaSeconds }, loss };
  }
  if (type === 'checkpoint') {
    const { seconds = 0 } = data as { seconds?: number };
    return { ...told, checkpoint: { savedAtMs: Date.now(), seconds } };
  }
  return told;
}
