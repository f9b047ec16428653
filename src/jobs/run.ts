import type { JobType, RunningJob } from './job.ts';
import { createOutbox, type Report, type TimedEvent } from './outbox.ts';
import type { Ending } from './process-protocol.ts';

/** How a job's process ended; `crashed`: without saying how, or killed. */
export type Outcome = Ending | { readonly type: 'crashed'; readonly reason: string };

/** What has to be done next, in this order. */
export type RunAction =
  /** Store it, and renew the lease; then `reported`, `lost` or `failed`. */
  | { readonly type: 'report'; readonly report: Report }
  /** Move the job to the state that its outcome gives; then `settled` or `failed`. */
  | { readonly type: 'settle'; readonly outcome: Outcome; readonly stopping: boolean }
  /** Start the clock of the next report; then `due`. */
  | { readonly type: 'wait' }
  /** Ask the process for a checkpoint and its end. */
  | { readonly type: 'stop' }
  /** Start the clock of its end; then `graceOver`, also if it has gone meanwhile. */
  | { readonly type: 'grace' }
  | { readonly type: 'kill' }
  /** The process has gone, and nothing is left to do. */
  | { readonly type: 'end' };

/**
 * One run of a job, without its process, its database and its clocks: each event returns what to do. Events of the
 * process are reported in their order, each once; while the database is away they wait here. The job is settled when the
 * process has ended and all its events are stored. A run that has lost its lease kills its process and says nothing more.
 */
export interface JobRun {
  /** The process says what it does. */
  event(event: TimedEvent): RunAction[];
  /** The process says how it ends. */
  ending(ending: Ending): RunAction[];
  /** The process is no more. */
  gone(reason: string): RunAction[];
  /** The report is stored; `cancelling`: somebody asked for the job's end. */
  reported(cancelling: boolean): RunAction[];
  /** The job belongs to somebody else. */
  lost(): RunAction[];
  settled(): RunAction[];
  /** A report, or settling, did not succeed; whether it is stored is not known. */
  failed(): RunAction[];
  /** It is time for the next report: at the start, by the clock, or because somebody asks for it. */
  due(): RunAction[];
  graceOver(): RunAction[];
  /** The service stops: the job goes back to the queue with a checkpoint. */
  stop(): RunAction[];
  state(): RunningJob;
}

export interface JobRunOptions {
  readonly id: string;
  readonly type: JobType;
  /** Events that may wait for the database: beyond, steps are left out. Default 10,000. */
  readonly maxWaitingEvents?: number;
}

export function createJobRun({ id, type, maxWaitingEvents = 10_000 }: JobRunOptions): JobRun {
  const outbox = createOutbox(maxWaitingEvents);
  let state: RunningJob = { id, type };
  let phase: 'reporting' | 'settling' | 'waiting' | 'over' = 'waiting';
  let ending: Ending | undefined;
  /** Set when the process does nothing more. */
  let outcome: Outcome | undefined;
  let gone = false;
  let stopping = false;
  let asked = false;

  function next(): RunAction[] {
    if (outcome !== undefined && outbox.isEmpty()) {
      phase = 'settling';
      return [{ type: 'settle', outcome, stopping }];
    }
    phase = 'reporting';
    return [{ type: 'report', report: outbox.report(state.progress) }];
  }

  function wait(): RunAction[] {
    phase = 'waiting';
    return [{ type: 'wait' }];
  }

  const nextIfWaiting = (): RunAction[] => (phase === 'waiting' ? next() : []);

  function over(): RunAction[] {
    phase = 'over';
    return gone ? [{ type: 'end' }] : [];
  }

  function askToEnd(): RunAction[] {
    if (asked || ending !== undefined || outcome !== undefined) return [];
    asked = true;
    return [{ type: 'stop' }, { type: 'grace' }];
  }

  return {
    event(timed) {
      if (phase === 'over' || phase === 'settling') return []; // of a process that was killed: too late
      state = after(state, timed);
      outbox.add(timed);
      return [];
    },
    ending(said) {
      if (ending !== undefined) return [];
      ending = said;
      return asked || outcome !== undefined || phase === 'over' ? [] : [{ type: 'grace' }];
    },
    gone(reason) {
      gone = true;
      outcome ??= ending ?? { type: 'crashed', reason };
      return phase === 'over' ? over() : nextIfWaiting();
    },
    reported(cancelling) {
      outbox.stored();
      const actions = cancelling ? askToEnd() : [];
      return [...actions, ...(outcome === undefined ? wait() : next())];
    },
    lost() {
      const actions: RunAction[] = outcome === undefined ? [{ type: 'kill' }] : [];
      return [...actions, ...over()];
    },
    settled: over,
    failed: () => (outcome !== undefined && stopping ? over() : wait()), // the end of the lease will tell
    due: nextIfWaiting,
    graceOver() {
      if (outcome !== undefined || phase === 'over') return []; // has gone, or was killed
      outcome = ending ?? { type: 'crashed', reason: 'was ended by SIGKILL' };
      return [{ type: 'kill' }, ...nextIfWaiting()];
    },
    stop() {
      stopping = true;
      if (phase === 'over') return [];
      return outcome === undefined ? askToEnd() : nextIfWaiting();
    },
    state: () => state,
  };
}

// --- helpers ---

function after(state: RunningJob, { time, event }: TimedEvent): RunningJob {
  if (event.type === 'step') {
    const { epoch, step, steps, imagesPerSecond, etaSeconds } = event;
    const progress = { epoch, step, steps, imagesPerSecond, etaSeconds };
    return { ...state, progress, ...('loss' in event && { loss: event.loss }) };
  }
  if (event.type === 'checkpoint') {
    return { ...state, checkpoint: { savedAtMs: Date.parse(time), seconds: event.seconds } };
  }
  return state;
}
