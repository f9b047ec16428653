import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../files/make-folder.ts';
import { forkProgram } from '../processes/programs.ts';
import type { Assignment } from './job.ts';
import { type FromJobProcess, fromJobProcess, type ToJobProcess } from './process-protocol.ts';

/** What runs a job: a module for a child process that speaks process-protocol.ts. */
export interface JobProgram {
  readonly module: URL;
  readonly argv: readonly string[];
  /** Passed on to the process as it is. */
  readonly context: unknown;
}

export interface JobProcess {
  /** Asks for a checkpoint and the end. */
  stop(): void;
  kill(): void;
}

export interface JobProcessListener {
  message(message: FromJobProcess): void;
  /** It said something that is not in the protocol, which counts as not said. */
  unreadable(reason: string): void;
  /** It is no more, and everything that it said has been heard. */
  gone(reason: string): void;
}

/** The file in the job's folder that gets all its process prints. */
export const outputName = 'output.log';

/**
 * Starts the process of a job; what it prints is appended to the job's log. Throws the error of the file system if its
 * folder cannot be written.
 */
export function startJobProcess(
  program: JobProgram,
  job: Assignment,
  folder: string,
  listener: JobProcessListener,
): JobProcess {
  makeFolder(folder);
  const output = openSync(join(folder, outputName), 'a');
  let child: ChildProcess;
  try {
    child = forkProgram(program.module, program.argv, { stdio: ['ignore', output, output, 'ipc'] });
  } finally {
    closeSync(output);
  }

  child.on('message', (received) => {
    const { data, error } = fromJobProcess.safeParse(received);
    if (data) listener.message(data);
    else listener.unreadable(`unexpected message of a job's process: ${error.message}`);
  });
  child.once('close', (code, signal) =>
    listener.gone(signal ? `was ended by ${signal}` : `exited with code ${code}`),
  );
  child.once('error', (error) => {
    if (child.pid === undefined) listener.gone(`cannot be started: ${error.message}`);
  });

  const send = (message: ToJobProcess): void => {
    if (child.connected) child.send(message, () => undefined); // if it has died, `close` follows
  };
  send({ type: 'start', job, folder, context: program.context });
  return {
    stop: () => send({ type: 'stop' }),
    kill: () => void child.kill('SIGKILL'),
  };
}
