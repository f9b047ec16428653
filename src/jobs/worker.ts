import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { RunningJob } from './job.ts';
import type { JobProgram } from './process.ts';
import { type Runner, type RunTiming, startRunner } from './runner.ts';
import type { Transact } from './transact.ts';
import { putBackLost, take } from './transitions.ts';

export interface WorkerOptions {
  readonly prepare: () => Promise<void>;
  readonly transact: Transact;
  /** Whether nobody else runs jobs of this database. */
  readonly exclusive: boolean;
  readonly program: JobProgram;
  readonly folderOf: (id: string) => string;
  readonly timing: JobsTiming;
  readonly onError: (error: unknown) => void;
}

export interface JobsTiming extends RunTiming {
  /** Time between two looks at the queue, and at the events of a job that somebody follows. */
  readonly pollMs: number;
}

/** Takes jobs from the queue and runs them, one at a time. */
export interface Worker {
  /** There may be a job that waits. */
  wake(): void;
  /** Somebody asks something of the job that runs. */
  reportNow(): void;
  running(): RunningJob | undefined;
  /** Takes no more jobs, and ends when the one that runs has ended. */
  stop(): Promise<void>;
}

export function startWorker(options: WorkerOptions): Worker {
  const { prepare, transact, exclusive, program, folderOf, timing } = options;
  const stopping = new AbortController();
  let sleep = new AbortController();
  let current: Runner | undefined;

  /** A runner may not have been able to say that it is alive while the database was away, or before this start. */
  let lossesCountFrom = exclusive ? 0 : performance.now() + timing.leaseMs;
  let complaint = '';
  const onError = (error: unknown): void => {
    lossesCountFrom = performance.now() + timing.leaseMs;
    if (messageOf(error) !== complaint) options.onError(error); // said once, not at each try
    complaint = messageOf(error);
  };

  /** Returns whether there was a job. */
  async function runNext(): Promise<boolean> {
    await prepare();
    if (performance.now() >= lossesCountFrom) await transact((transaction) => putBackLost(transaction));
    const runner = randomUUID();
    const job = await transact((transaction) => take(transaction, runner, timing.leaseMs));
    complaint = '';
    if (job === undefined) return false;
    const folder = folderOf(job.id);
    const { signal } = stopping;
    current = startRunner({ job, runner, folder, program, transact, timing, signal, onError });
    await current.ended;
    current = undefined;
    return true;
  }

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        if (await runNext()) continue;
      } catch (error) {
        onError(error);
      }
      sleep = new AbortController();
      if (stopping.signal.aborted) return;
      await delay(timing.pollMs, undefined, { signal: sleep.signal }).catch(() => undefined);
    }
  }
  const working = work();

  return {
    wake: () => sleep.abort(),
    reportNow: () => current?.reportNow(),
    running: () => current?.state(),
    stop() {
      stopping.abort();
      sleep.abort();
      return working;
    },
  };
}
