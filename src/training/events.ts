import { z } from 'zod';

/** What a training says while it runs: one schema for its log, for the processes that it crosses, and for their readers. */

/** Counted from 1. */
const ordinal = z.int().positive();
const count = z.int().nonnegative();
const digest = z.string();

/** How a network does on the validation split. */
const validationResult = z.object({
  loss: z.number().describe('Cross-entropy, or sum((box - target)^2) / 2; mean over the pictures.'),
  accuracy: z
    .number()
    .describe('Share of the pictures whose class comes first, or whose predicted box has an IoU over 0.5.'),
  top5: z
    .number()
    .exactOptional()
    .describe('Share of the pictures whose class is among the first five; of classification networks.'),
});

export type ValidationResult = Readonly<z.output<typeof validationResult>>;

/** How far a job is. An evaluation has one epoch, whose steps are images. */
export const progress = z.object({
  epoch: ordinal.describe('Counted from 1.'),
  step: count.describe('Steps done in this epoch, of `steps`.'),
  steps: count,
  imagesPerSecond: z.number(),
  etaSeconds: z.number().describe('Time that is left, in seconds.'),
});

export type Progress = Readonly<z.output<typeof progress>>;

const loading = z
  .object({ type: z.literal('loading'), done: count, total: count })
  .describe('Images of the data set that have been read and checked.');

const dataset = z
  .object({
    type: z.literal('dataset'),
    classes: count,
    train: count,
    validation: count,
    skipped: z.array(z.string()).readonly().describe('Images that were left out, each with its reason.'),
    digest,
  })
  .describe('The data set has been read.');

const start = z
  .object({
    type: z.literal('start'),
    engine: z.string().describe('What runs the steps.'),
    parameters: count,
    epochs: ordinal,
    epoch: ordinal,
    step: count,
  })
  .describe('The first step follows; `epoch` and `step` say where it starts.');

const step = z
  .object({
    type: z.literal('step'),
    ...progress.shape,
    loss: z.number().describe('Mean of the epoch so far.'),
    rate: z.number(),
  })
  .describe('After a step.');

const epoch = z
  .object({
    type: z.literal('epoch'),
    epoch: ordinal,
    rate: z.number(),
    trainingLoss: z.number().describe('With dropout and augmentation.'),
    best: z.boolean().describe('Whether it is the best so far.'),
    atChance: z
      .boolean()
      .exactOptional()
      .describe(
        'Training and validation loss are still those of guessing, ln(classes): nothing has been learned yet.',
      ),
    ...validationResult.shape,
  })
  .describe('After an epoch, with its validation.');

const checkpoint = z
  .object({
    type: z.literal('checkpoint'),
    epoch: ordinal,
    step: count,
    digest: digest.describe('What two runs are compared by.'),
    seconds: z.number().describe('Time that its writing took.'),
  })
  .describe('A checkpoint is safely on disk.');

const interrupted = z
  .object({ type: z.literal('interrupted'), epoch: ordinal, step: count })
  .describe('The training was stopped, with a checkpoint.');

const done = z
  .object({
    type: z.literal('done'),
    epoch: ordinal,
    checkpoint: digest.describe('Digest of the last checkpoint.'),
    ...validationResult.shape,
  })
  .describe('The best network has been written; the figures are its own.');

export const trainingEvent = z.discriminatedUnion('type', [
  loading,
  dataset,
  start,
  step,
  epoch,
  checkpoint,
  interrupted,
  done,
]);

export type TrainingEvent = Readonly<z.output<typeof trainingEvent>>;

export type OnTrainingEvent = (event: TrainingEvent) => void;
