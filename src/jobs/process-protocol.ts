import { z } from 'zod';
import { assignment, jobError, jobResult, processEvent } from './job.ts';

/** The two directions between the service and a job's process. Whoever receives a message parses it. */

const start = z.object({
  type: z.literal('start'),
  job: assignment,
  folder: z.string().describe("The job's own folder: checkpoints, and all that it must find again."),
  context: z.unknown().describe('As handed in with the program, which knows its shape.'),
});

/** Write a checkpoint and end. */
const stop = z.object({ type: z.literal('stop') });

/** Service to the job's process: what to do, then perhaps to stop. */
export const toJobProcess = z.discriminatedUnion('type', [start, stop]);

export type ToJobProcess = z.output<typeof toJobProcess>;
export type StartMessage = z.output<typeof start>;

/** How it ended, in the process's own words; `stopped`: as asked, and it can go on from its checkpoint. */
const ending = z.discriminatedUnion('type', [
  z.object({ type: z.literal('done'), result: jobResult }),
  z.object({ type: z.literal('failed'), error: jobError }),
  z.object({ type: z.literal('stopped') }),
]);

export type Ending = Readonly<z.output<typeof ending>>;

/** Back: events, and at last how it ended. A process that ends without the latter has crashed. */
export const fromJobProcess = z.discriminatedUnion('type', [
  z.object({ type: z.literal('event'), event: processEvent }),
  ending,
]);

export type FromJobProcess = z.output<typeof fromJobProcess>;
