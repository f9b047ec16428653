import { type ErrorCode, VerydeepError } from '../errors.ts';
import { forkProgram } from './programs.ts';
import type { CallAnswer, Calls } from './protocol.ts';

export interface CallableProcessOptions {
  /** The module that it runs, which calls `answerCalls` (answer-calls.ts). */
  readonly program: URL;
  /** For messages: `engine host of cpu`. */
  readonly name: string;
  /** The error with which calls reject once it is lost. */
  readonly lostError: (reason: string) => VerydeepError;
  /** Code of the error with which a call rejects that failed without one; a plain `Error` when omitted. */
  readonly failedCode?: ErrorCode;
  /** A child that takes longer for a call, from the answer before it, is killed; it may take any time when omitted. */
  readonly answerTimeoutMs?: number;
  /** File descriptors that the child gets, as its numbers from 4 on. */
  readonly files?: readonly number[];
}

/** A child process that answers calls. */
export interface CallableProcess<C extends Calls> {
  readonly pid: number;
  /** Resident memory at its last answer. */
  rssBytes(): number;
  /** Aborted, with the reason, as soon as the process is known to be lost, before any call rejects. */
  readonly lost: AbortSignal;
  /** Rejects with the child's coded error, or with `lostError` at once when the child is lost. */
  call<Call extends keyof C>(
    call: Call,
    argument: C[Call]['argument'],
    /** In place of `answerTimeoutMs`. */
    timeoutMs?: number,
  ): Promise<C[Call]['answer']>;
  /** Nothing in a child outlives it, so it is ended as surely as can be, in the middle of a call as well. */
  end(): Promise<void>;
}

/** Starts a child process and the channel to it. */
export function startCallableProcess<C extends Calls>(options: CallableProcessOptions): CallableProcess<C> {
  const { program, name, failedCode, answerTimeoutMs, files = [] } = options;
  const child = forkProgram(program, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', ...files],
  });
  const pending = new Map<number, Pending>();
  const loss = new AbortController();
  let nextId = 0;
  let rssBytes = 0;

  /** Counts from the last answer, or from the first request after a rest. */
  let watchdog: NodeJS.Timeout | undefined;
  const watch = (): void => {
    clearTimeout(watchdog);
    const [next] = pending.values(); // calls are answered in their order
    const timeoutMs = next?.timeoutMs;
    if (timeoutMs === undefined) return;
    watchdog = setTimeout(() => lose(`gave no answer for ${Math.round(timeoutMs)} ms`), timeoutMs);
  };

  const lose = (reason: string): void => {
    if (loss.signal.aborted) return;
    loss.abort(`${name} (process ${child.pid}) ${reason}`);
    child.kill('SIGKILL');
    clearTimeout(watchdog);
    for (const { reject } of pending.values()) reject(lostError());
    pending.clear();
  };
  const lostError = (): VerydeepError => options.lostError(loss.signal.reason);

  /** The last that native code has said, often the reason of its death. */
  let lastWords = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    lastWords = text.trim().split('\n').at(-1)!.slice(0, 500);
  });

  const ended = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      const how = signal ? `was ended by ${signal}` : `exited with code ${code}`;
      lose(lastWords === '' ? how : `${how}: ${lastWords}`);
      resolve();
    });
    child.once('error', (error) => {
      lose(`failed: ${error.message}`);
      if (child.pid === undefined) resolve(); // could not be started: no close follows
    });
  });

  const failure = ({ code = failedCode, message }: NonNullable<CallAnswer<C>['error']>): Error =>
    code === undefined ? new Error(message) : new VerydeepError(code, message);
  child.on('message', ({ id, rssBytes: now, answer, error }: CallAnswer<C>) => {
    rssBytes = now;
    const call = pending.get(id);
    pending.delete(id);
    watch();
    if (error) call?.reject(failure(error));
    else call?.resolve(answer as never);
  });

  return {
    pid: child.pid ?? -1,
    rssBytes: () => rssBytes,
    lost: loss.signal,
    call: (call, argument, timeoutMs = answerTimeoutMs) =>
      new Promise((resolve, reject) => {
        if (loss.signal.aborted) return reject(lostError());
        const id = nextId++;
        pending.set(id, { resolve, reject, timeoutMs });
        if (pending.size === 1) watch();
        child.send({ id, call, argument } as object, (error) => {
          if (error) lose(`cannot be reached: ${error.message}`);
        });
      }),
    async end() {
      lose('was shut down');
      await ended;
    },
  };
}

interface Pending {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
  readonly timeoutMs: number | undefined;
}
