import { z } from 'zod';
import { codesOf } from '../errors.ts';
import { type Progress, progress, trainingEvent } from '../training/events.ts';

/** Background jobs as everybody sees them: what is asked for, what is stored, what is said while they run. */

export const jobTypes = ['train', 'localise', 'evaluate'] as const;
export type JobType = (typeof jobTypes)[number];

export const jobStates = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

export function hasEnded(state: JobState): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}

const jobProgress = progress.meta({ id: 'JobProgress' });

export const jobResult = z
  .object({
    ensemble: z.string(),
    version: z.string(),
    digest: z.string().describe("`sha256:` and the hash of the version's manifest."),
    metrics: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'JobResult' });

export type JobResult = Readonly<z.output<typeof jobResult>>;

const failureCodes = codesOf('start').map((code) => `\`${code}\``);

export const jobError = z.object({
  code: z
    .string()
    .describe(`${failureCodes.join(', ')}, or that of a fault of the service (docs/errors.md).`),
  message: z.string(),
});

export type JobError = Readonly<z.output<typeof jobError>>;

const time = z.string().describe('ISO 8601.');

export const job = z
  .object({
    id: z.string(),
    type: z.enum(jobTypes),
    dataset: z.string().describe('Folder under the folder of data sets.'),
    ensemble: z.string().describe('Ensemble that gets the new version, or that is measured.'),
    settings: z
      .record(z.string(), z.unknown())
      .describe('Those that were asked for, and the defaults of the others.'),
    state: z.enum(jobStates),
    createdAt: time,
    startedAt: time.exactOptional(),
    finishedAt: time.exactOptional(),
    progress: jobProgress.exactOptional(),
    result: jobResult
      .exactOptional()
      .describe('The candidate version that was written; it is not served by itself.'),
    error: jobError.exactOptional().describe('Why it failed.'),
  })
  .meta({
    id: 'Job',
    examples: [
      {
        id: '0198c0de-5a17-7c3e-9b1f-0d3f5a6b7c8d',
        type: 'train',
        dataset: 'caltech101',
        ensemble: 'mine',
        settings: { architecture: 'A', width: 0.125, fc: 256, crop: 128, batch: 32, epochs: 40, seed: 1 },
        state: 'running',
        createdAt: '2026-01-31T12:00:00.000Z',
        startedAt: '2026-01-31T12:00:01.000Z',
        progress: { epoch: 3, step: 41, steps: 96, imagesPerSecond: 212.4, etaSeconds: 540 },
      },
    ],
  });

export type Job = Readonly<z.output<typeof job>>;

/** What a job's process gets to know of it. */
export const assignment = job.pick({ id: true, type: true, dataset: true, ensemble: true, settings: true });

export type Assignment = Readonly<z.output<typeof assignment>>;

/** What is asked for and stored; which settings there are is said in request.ts. */
export type NewJob = Omit<Assignment, 'id'>;

/** An evaluation says how many images are done, like the steps of a training of one epoch. */
export const evaluationStep = z
  .object({ type: z.literal('step'), ...progress.shape })
  .describe('Of an evaluation: images are done.');

export type EvaluationStep = Readonly<z.output<typeof evaluationStep>>;

/** What a job's process says while it runs. */
export const processEvent = z.union([trainingEvent, evaluationStep]);

export type ProcessEvent = Readonly<z.output<typeof processEvent>>;

/** What the queue says of a job: its new state, and why. */
export const stateEvent = z
  .object({
    type: z.literal('state'),
    state: z.enum(jobStates),
    reason: z.string().exactOptional().describe('Why it was put back into the queue.'),
    result: jobResult.exactOptional(),
    error: jobError.exactOptional(),
  })
  .describe('The job has a new state; with the reason if it was put back, its result or its error.');

export type StateEvent = Readonly<z.output<typeof stateEvent>>;

/** Something that happened to a job. Numbers rise by one, so that a reader can go on if it was cut off. */
export interface JobEvent {
  readonly sequence: number;
  /** ISO 8601. */
  readonly time: string;
  /** That of a {@link StateEvent} or a {@link ProcessEvent}; `data` is the rest of it. */
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A job whose process belongs to this service, by the last events that it said; for metrics. */
export interface RunningJob {
  readonly id: string;
  readonly type: JobType;
  /** Absent before the first step. */
  readonly progress?: Progress;
  /** Mean of the epoch so far. */
  readonly loss?: number;
  /** The last one on disk: when it was there, by `Date.now()`, and how long its writing took. */
  readonly checkpoint?: { readonly savedAtMs: number; readonly seconds: number };
}
