import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { forkProgram } from '../processes/programs.ts';
import type { JobResult } from './job.ts';
import type { FromJobProcess, ToJobProcess } from './process-protocol.ts';
import type { JobRow } from './store.ts';

/** What runs a job: a module for a child process that speaks process-protocol.ts. */
export interface JobProgram {
  readonly module: URL;
  readonly argv: readonly string[];
  /** Handed on to the process as it is. */
  readonly context: unknown;
}

export type Outcome =
  | { readonly type: 'done'; readonly result: JobResult }
  | { readonly type: 'failed'; readonly error: { readonly code: string; readonly message: string } }
  | { readonly type: 'stopped' }
  /** It ended without a word, or was killed. */
  | { readonly type: 'crashed'; readonly reason: string };

export interface JobProcess {
  /** Asks for a checkpoint and the end, and kills it where that takes longer than `graceMs`. */
  stop(graceMs: number): void;
  kill(): void;
  /** When it does nothing more: it has gone, or was killed. A busy machine takes its time to bury what has idle time only. */
  readonly ended: Promise<Outcome>;
  /** When it has gone. */
  readonly gone: Promise<void>;
}

/** The file in the job's folder that gets all its process prints. */
export const outputName = 'output.log';

/** Starts the process of a job; what it prints is appended to the job's log. */
export function startJobProcess(
  program: JobProgram,
  { id, type, dataset, ensemble, settings }: JobRow,
  folder: string,
  onEvent: (event: { readonly type: string } & Record<string, unknown>) => void,
): JobProcess {
  let child: ChildProcess;
  try {
    mkdirSync(folder, { recursive: true });
    const output = openSync(join(folder, outputName), 'a');
    child = forkProgram(program.module, program.argv, { stdio: ['ignore', output, output, 'ipc'] });
    closeSync(output);
  } catch (error) {
    // Nothing to start from: a full disk, a folder that cannot be written.
    const failure = { code: 'INTERNAL', message: `the job's process cannot be started: ${messageOf(error)}` };
    const ended = Promise.resolve<Outcome>({ type: 'failed', error: failure });
    return { stop: () => undefined, kill: () => undefined, ended, gone: Promise.resolve() };
  }

  let outcome: Outcome | undefined;
  let end = (_reason: string): void => undefined;
  const ended = new Promise<Outcome>((resolve) => {
    end = (reason) => resolve(outcome ?? { type: 'crashed', reason });
  });
  let timer: NodeJS.Timeout | undefined;
  child.on('message', (message: FromJobProcess) => {
    if (message.type === 'event') onEvent(message.event);
    else outcome = message;
  });
  const kill = (): void => {
    child.kill('SIGKILL');
    end('was ended by SIGKILL');
  };
  const gone = new Promise<void>((resolve) => {
    const leave = (reason: string): void => {
      clearTimeout(timer);
      end(reason);
      resolve();
    };
    child.once('close', (code, signal) =>
      leave(signal ? `was ended by ${signal}` : `exited with code ${code}`),
    );
    child.once('error', (error) => child.pid === undefined && leave(`cannot be started: ${error.message}`));
  });
  const send = (message: ToJobProcess): void => {
    if (child.connected) child.send(message, () => undefined); // where it has died, `close` follows
  };
  const job = { id, type, dataset, ensemble, settings };
  send({ type: 'start', job, folder, context: program.context });
  return {
    stop(graceMs) {
      if (timer !== undefined) return;
      send({ type: 'stop' });
      timer = setTimeout(kill, graceMs);
    },
    kill,
    ended,
    gone,
  };
}
