import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isVerydeepError, messageOf } from '../errors.ts';
import { lockFile } from '../files/lock.ts';
import type { JobResult, ProcessEvent } from '../jobs/job.ts';
import { type FromJobProcess, type StartMessage, toJobProcess } from '../jobs/process-protocol.ts';
import { readJobRequest } from '../jobs/request.ts';
import { useIdleTimeOnly, useLowPriority } from '../processes/priority.ts';
import { jobContext } from '../tasks/context.ts';
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
  const start = await new Promise<StartMessage>((resolve) => {
    process.on('message', (received) => {
      const message = toJobProcess.parse(received);
      if (message.type === 'start') resolve(message);
      else controller.abort();
    });
  });
  process.once('disconnect', () => {
    controller.abort();
    void delay(orphanMs, undefined, { ref: false }).then(() => process.kill(process.pid, 'SIGKILL'));
  });
  try {
    const result = await runJob(start, controller.signal);
    await send(result ? { type: 'done', result } : { type: 'stopped' });
    return 0;
  } catch (error) {
    console.error(isVerydeepError(error) ? `${error.message} (${error.code})` : error);
    const code = isVerydeepError(error) ? error.code : 'INTERNAL';
    await send({ type: 'failed', error: { code, message: messageOf(error) } });
    return 1;
  }
}

// --- helpers ---

/** Returns undefined if it was stopped. */
async function runJob(start: StartMessage, signal: AbortSignal): Promise<JobResult | undefined> {
  const { job, folder } = start;
  const context = jobContext.parse(start.context);
  await (context.idleOnly ? useIdleTimeOnly() : useLowPriority());
  await lockFile(join(folder, 'lock'), lockTimeoutMs);
  const onEvent = throttleSteps<ProcessEvent>((event) => void send({ type: 'event', event }));
  const request = readJobRequest(job);
  const options = { id: job.id, folder, context, signal, onEvent };
  if (request.type === 'evaluate') return evaluateForJob({ ...options, request });
  const printer = createTrainingPrinter();
  try {
    return await trainForJob({
      ...options,
      request,
      onEvent(event) {
        printer.print(event);
        onEvent(event);
      },
      onChoice: console.error,
    });
  } finally {
    printer.stop();
  }
}

/** Fulfilled when the message is on its way, or nobody is there to read it. */
function send(message: FromJobProcess): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(message, undefined, undefined, () => resolve());
    else resolve();
  });
}
