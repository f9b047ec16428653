import { isVerydeepError, messageOf, VerydeepError } from '../errors.ts';
import { asDiskFull } from '../files/disk-full.ts';
import { assignment, type RunningJob } from './job.ts';
import { type JobProcess, type JobProgram, startJobProcess } from './process.ts';
import type { FromJobProcess } from './process-protocol.ts';
import { type Claim, settle, storeReport } from './reports.ts';
import { createJobRun, type JobRun, type RunAction } from './run.ts';
import type { JobRow } from './store.ts';
import type { Transact } from './transact.ts';

export interface RunnerOptions {
  /** A job that was taken by `runner`. */
  readonly job: JobRow;
  readonly runner: string;
  readonly folder: string;
  readonly program: JobProgram;
  readonly transact: Transact;
  readonly timing: RunTiming;
  /** Aborted: the service stops; the job goes back to the queue with a checkpoint. */
  readonly signal: AbortSignal;
  /** The database failed, or the process said something unexpected; the job goes on. */
  readonly onError: (error: unknown) => void;
}

/** All in milliseconds. */
export interface RunTiming {
  /** A runner that is not heard of for so long has lost its job. */
  readonly leaseMs: number;
  /** Time between two reports to the database. */
  readonly reportMs: number;
  /** A process that was told to stop, or said how it ends, is killed after so long. */
  readonly graceMs: number;
}

export interface Runner {
  state(): RunningJob;
  /** Reports, and hears what is asked, at once. */
  reportNow(): void;
  /** The job has ended, or belongs to somebody else; its process has gone. */
  readonly ended: Promise<void>;
}

/** Runs a job: gives a {@link createJobRun} its process, its database and its clocks. */
export function startRunner(options: RunnerOptions): Runner {
  const { job, folder, program, transact, timing, signal, onError } = options;
  const claim: Claim = { id: job.id, runner: options.runner, leaseMs: timing.leaseMs };
  const run = createJobRun({ id: job.id, type: job.type });
  let process: JobProcess | undefined;
  let reportClock: NodeJS.Timeout | undefined;
  let graceClock: NodeJS.Timeout | undefined;
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });

  /** What the database did; it may be tried again. */
  function attempt<T>(work: Promise<T>, succeeded: (result: T) => RunAction[]): void {
    const failed = (error: unknown): RunAction[] => {
      onError(error);
      return run.failed();
    };
    void work.then(succeeded, failed).then(perform);
  }

  function act(action: RunAction): void {
    switch (action.type) {
      case 'report':
        clearTimeout(reportClock);
        attempt(
          transact((transaction) => storeReport(transaction, claim, action.report)),
          (answer) => (answer === undefined ? run.lost() : run.reported(answer.cancelling)),
        );
        break;
      case 'settle':
        clearTimeout(reportClock);
        attempt(
          transact((transaction) => settle(transaction, claim, action.outcome, action.stopping)),
          run.settled,
        );
        break;
      case 'wait':
        reportClock = setTimeout(() => perform(run.due()), timing.reportMs);
        break;
      case 'stop':
        process?.stop();
        break;
      case 'grace':
        graceClock = setTimeout(() => perform(run.graceOver()), timing.graceMs);
        break;
      case 'kill':
        process?.kill();
        break;
      case 'end':
        clearTimeout(reportClock);
        clearTimeout(graceClock);
        signal.removeEventListener('abort', stop);
        end();
    }
  }

  function perform(actions: readonly RunAction[]): void {
    for (const action of actions) act(action);
  }

  const stop = (): void => perform(run.stop());
  perform(run.due());
  try {
    process = startJobProcess(program, assignment.parse(job), folder, {
      message: (message) => perform(heard(run, message)),
      unreadable: (reason) => onError(new VerydeepError('INTERNAL', reason)),
      gone: (reason) => perform(run.gone(reason)),
    });
  } catch (error) {
    perform(run.ending({ type: 'failed', error: whyNotStarted(error, folder) }));
    perform(run.gone('cannot be started'));
  }
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  return { state: run.state, reportNow: () => perform(run.due()), ended };
}

// --- helpers ---

function heard(run: JobRun, message: FromJobProcess): RunAction[] {
  if (message.type !== 'event') return run.ending(message);
  return run.event({ time: new Date().toISOString(), event: message.event });
}

/** A folder takes at least a block. */
const blockBytes = 4096;

function whyNotStarted(error: unknown, folder: string): { code: string; message: string } {
  const reason = asDiskFull(error, folder, blockBytes);
  const code = isVerydeepError(reason) ? reason.code : 'INTERNAL';
  return { code, message: `the job's process cannot be started: ${messageOf(reason)}` };
}
