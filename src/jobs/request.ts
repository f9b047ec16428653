import { z } from 'zod';
import { VerydeepError } from '../errors.ts';
import { describeIssues } from '../options/issues.ts';
import { jobTypes, type NewJob } from './job.ts';
import { evaluateJobSettings, localiseJobSettings, trainJobSettings } from './settings.ts';

/** What a job is asked for, by its type. */

const dataset = z
  .string()
  .min(1)
  .max(1000)
  .describe('Folder under the folder of data sets, with `train/` and `val/`.');

const ensemble = z.string().min(1).max(200).describe('Ensemble that gets the new version.');

const trainJob = z
  .strictObject({
    type: z.literal('train').describe('Trains a classification network.'),
    dataset,
    ensemble,
    settings: trainJobSettings.prefault({}),
  })
  .meta({ id: 'TrainJob' });

const localiseJob = z
  .strictObject({
    type: z.literal('localise').describe('Trains a box network on the boxes of the data set.'),
    dataset,
    ensemble,
    settings: localiseJobSettings,
  })
  .meta({ id: 'LocaliseJob' });

const evaluateJob = z
  .strictObject({
    type: z.literal('evaluate').describe('Measures an ensemble.'),
    dataset: dataset.describe('Folder under the folder of data sets, with the split.'),
    ensemble: ensemble.describe('Ensemble to measure, `NAME` or `NAME@VERSION`.'),
    settings: evaluateJobSettings.prefault({}),
  })
  .meta({ id: 'EvaluateJob' });

export const jobRequest = z
  .discriminatedUnion('type', [trainJob, localiseJob, evaluateJob], {
    error: ({ code }) =>
      code === 'invalid_union' ? `expected ${jobTypes.join(', ')}` : 'expected an object',
  })
  .meta({
    id: 'JobRequest',
    discriminator: { propertyName: 'type' },
    examples: [
      {
        type: 'train',
        dataset: 'caltech101',
        ensemble: 'mine',
        settings: { architecture: 'A', width: 0.125, fc: 256, crop: 128, batch: 32, epochs: 40, seed: 1 },
      },
    ],
  });

export type JobRequest = Readonly<z.output<typeof jobRequest>>;
export type TrainingRequest = Exclude<JobRequest, { type: 'evaluate' }>;
export type EvaluationRequest = Extract<JobRequest, { type: 'evaluate' }>;

/** Throws INVALID_JOB with all reasons. */
export function readJobRequest({ type, dataset, ensemble, settings }: NewJob): JobRequest {
  const received = { type, dataset, ensemble, settings };
  const { data, error } = jobRequest.safeParse(received);
  if (data) return data;
  const reasons = describeIssues(jobRequest, error.issues, received, { kind: 'field' });
  throw new VerydeepError('INVALID_JOB', reasons.join('. '));
}
