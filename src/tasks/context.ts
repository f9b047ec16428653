import { z } from 'zod';
import { type Device, isDevice } from '../engine/devices.ts';
import { engines } from '../engine/engines.ts';
import type { ProcessEvent } from '../jobs/job.ts';
import type { JobRequest } from '../jobs/request.ts';

/** What every job's process gets to know of its service. */
export const jobContext = z.object({
  weightsDir: z.string().describe('Folder of ensembles: where jobs start from, and where they write to.'),
  datasetsDir: z.string().exactOptional().describe('Folder of data sets; jobs need it.'),
  engine: z.enum(engines.choices.serving),
  device: z.custom<Device>(isDevice),
  libraryPath: z
    .string()
    .exactOptional()
    .describe('Native library of an engine that takes one; else searched for.'),
  threads: z.int().positive().describe('Most cores that a job may take.'),
  idleOnly: z.boolean().describe('Only in time that nobody else wants, rather than at low priority.'),
});

export type JobContext = Readonly<z.output<typeof jobContext>>;

/** A job in its process; `Event` is what it says of itself. */
export interface JobRunOptions<Request extends JobRequest, Event extends ProcessEvent> {
  /** Id of the job. */
  readonly id: string;
  readonly request: Request;
  /** For checkpoints, and all that it must find again. */
  readonly folder: string;
  readonly context: JobContext;
  readonly signal: AbortSignal;
  readonly onEvent: (event: Event) => void;
}
