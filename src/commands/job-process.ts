import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isVerydeepError, messageOf } from '../errors.ts';
import { lockFile } from '../files/lock.ts';
import type { FromJobProcess, ToJobProcess } from '../jobs/process-protocol.ts';
import { useIdleTimeOnly, useLowPriority } from '../processes/priority.ts';
import type { JobContext, JobProcessEvent } from '../tasks/context.ts';
import { evaluateForJob } from '../tasks/evaluate.ts';
import { throttleSteps } from '../tasks/throttle-steps.ts';
import { trainForJob } from '../tasks/train.ts';
import { createTrainingPrinter } from './cli/training-printer.ts';

export const help = `
verydeep job-process: runs one background job; started by verydeep serve, not by people
`;

/** The process of a predecessor, whose service was killed, has stopped within this time. */
const lockTimeoutMs = 60_000;

/** A process without its service has this long for a checkpoint. */
const orphanMs = 10_000;

/**
 * The program of a job's process: it speaks jobs/process-protocol.ts with the service that started it, and stops with a
 * checkpoint when that asks or is gone.
 */
export async function run(): Promise<number> {
  const controller = new AbortController();
  // A Ctrl-C goes to the whole process group: the service says what is to be done.
  process.on('SIGINT', () => undefined).on('SIGTERM', () => undefined);
  const start = await new Promise<Extract<ToJobProcess, { type: 'start' }>>((resolve) => {
    process.on('message', (message: ToJobProcess) => {
      if (message.type === 'start') resolve(message);
      else controller.abort();
    });
  });
  process.once('disconnect', () => {
    controller.abort();
    void delay(orphanMs, undefined, { ref: false }).then(() => process.kill(process.pid, 'SIGKILL'));
  });
  const { job, folder } = start;
  const context = start.context as JobContext;
  const { signal } = controller;
  const onEvent = throttleSteps<JobProcessEvent>(
    (event) => void send({ type: 'event', event: { ...event } }),
  );
  const printer = createTrainingPrinter();
  try {
    await (context.idleOnly ? useIdleTimeOnly() : useLowPriority());
    await lockFile(join(folder, 'lock'), lockTimeoutMs);
    const options = { job, folder, context, signal, onEvent };
    const result = await (job.type === 'evaluate'
      ? evaluateForJob(options)
      : trainForJob({
          ...options,
          onEvent(event) {
            printer.print(event);
            onEvent(event);
          },
          onFallback: console.error,
        }).finally(printer.stop));
    await send(result ? { type: 'done', result } : { type: 'stopped' });
    return 0;
  } catch (error) {
    console.error(isVerydeepError(error) ? `${error.message} (${error.code})` : error);
    const code = isVerydeepError(error) ? error.code : 'INTERNAL';
    await send({ type: 'failed', error: { code, message: messageOf(error) } });
    return 1;
  }
}

/** Fulfilled when the message is on its way, or nobody is there to read it. */
function send(message: FromJobProcess): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(message, undefined, undefined, () => resolve());
    else resolve();
  });
}
