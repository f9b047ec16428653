import { z } from 'zod';
import { jobStates, jobTypes } from '../../jobs/job.ts';

const requestExample = {
  type: 'train',
  dataset: 'caltech101',
  ensemble: 'mine',
  settings: { architecture: 'A', width: 0.125, fc: 256, crop: 128, batch: 32, epochs: 40, seed: 1 },
};

const type = z
  .enum(jobTypes)
  .describe('`train` a classification network, a `localise` network on boxes, or `evaluate` an ensemble.');
const dataset = z
  .string()
  .min(1)
  .max(1000)
  .describe('Folder under the folder of data sets, with `train/` and `val/`.');
const ensemble = z
  .string()
  .min(1)
  .max(200)
  .describe(
    'Ensemble that gets the new version; the one to measure, `NAME` or `NAME@VERSION`, of `evaluate`.',
  );
const settings = z
  .record(z.string(), z.unknown())
  .describe('Those of the type (docs/jobs.md); unknown ones are refused.');

export const jobRequest = z
  .strictObject({ type, dataset, ensemble, settings: settings.prefault({}) })
  .meta({ id: 'JobRequest', examples: [requestExample] });

const time = z.string().describe('ISO 8601.');

const progress = z
  .object({
    epoch: z.int().describe('Counted from 1.'),
    step: z.int().describe('Steps done in this epoch, of `steps`.'),
    steps: z.int(),
    imagesPerSecond: z.number(),
    etaSeconds: z.number(),
  })
  .meta({ id: 'JobProgress' });

const result = z
  .object({
    ensemble: z.string(),
    version: z.string(),
    digest: z.string().describe("`sha256:` and the hash of the version's manifest."),
    metrics: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'JobResult' });

export const job = z
  .object({
    id: z.string(),
    type,
    dataset,
    ensemble,
    settings,
    state: z.enum(jobStates),
    createdAt: time,
    startedAt: time.optional(),
    finishedAt: time.optional(),
    progress: progress.optional(),
    result: result.optional().describe('The candidate version that was written; it is not served by itself.'),
    error: z.object({ code: z.string(), message: z.string() }).optional().describe('Why it failed.'),
  })
  .meta({
    id: 'Job',
    examples: [
      {
        id: '0198c0de-5a17-7c3e-9b1f-0d3f5a6b7c8d',
        ...requestExample,
        state: 'running',
        createdAt: '2026-01-31T12:00:00.000Z',
        startedAt: '2026-01-31T12:00:01.000Z',
        progress: { epoch: 3, step: 41, steps: 96, imagesPerSecond: 212.4, etaSeconds: 540 },
      },
    ],
  });

export const jobList = z.object({ jobs: z.array(job).describe('Newest first.') }).meta({ id: 'JobList' });

export type JobBody = z.output<typeof job>;
