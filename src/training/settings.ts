import { z } from 'zod';
import { precisions } from '../engine/precision.ts';
import { VerydeepError } from '../errors.ts';
import { architectureNames, poolStride } from '../network/architecture.ts';
import { initialisers } from '../network/initialisers.ts';
import { threadLimit } from '../processes/threads.ts';
import { parseSchedule } from './schedule.ts';

const count = z.number().int().positive();

/** Everything that decides how a training runs. Kept in its checkpoints. */
const schema = z
  .strictObject({
    data: z.string().describe('Folder with train/ and val/, each with a folder a class'),
    list: z.string().optional().describe('File that lists the training images to use, CLASS/NAME a line'),
    architecture: z.enum(architectureNames).default('D'),
    width: z.number().positive().max(4).default(1).describe('Channel multiplier'),
    fc: count.default(4096).describe('Outputs of the hidden fully connected layers'),
    crop: count.multipleOf(poolStride).default(224).describe('Side of the training crops in pixels'),
    head: z.enum(['classes', 'scr', 'pcr']).default('classes'),
    scale: z
      .strictObject({ min: count, max: count })
      .default({ min: 256, max: 256 })
      .describe('Smallest side S of the training pictures in pixels: fixed, or drawn from a range'),
    batch: count.default(256),
    microBatch: count.optional().describe('Pictures in one pass; the whole batch where not given'),
    epochs: count.default(74),
    rate: z.string().default('0.01').describe('0.01, or with given steps 0.01,60:0.001'),
    patience: count.default(8).describe('Epochs without improvement before the rate falls'),
    initialise: z.enum(initialisers).default('gaussian'),
    from: z.string().optional().describe('Run folder of a trained network to start from'),
    trainable: z.enum(['all', 'fullyConnected']).default('all'),
    precision: z.enum(precisions).default('fp32'),
    seed: z.number().int().default(1),
    threads: count.default(() => threadLimit()),
    workers: count
      .default(1)
      .describe('Processes that divide each micro-batch, and the threads, among them (paper, 3.3)'),
    skipBroken: z
      .number()
      .min(0)
      .max(1)
      .default(0.01)
      .describe(
        'Share of the images of a split that may be broken; three may be in any case, unless it is 0',
      ),
    cacheBytes: z
      .number()
      .int()
      .nonnegative()
      .default(2 ** 31),
  })
  .check(({ value, issues }) => {
    const problem = (path: string, message: string): void => {
      issues.push({ code: 'custom', input: value, path: [path], message });
    };
    const { scale, crop, batch, microBatch = batch, workers, head, from, trainable } = value;
    if (scale.min > scale.max) problem('scale', `expected MIN-MAX, received ${scale.min}-${scale.max}`);
    if (scale.min < crop) problem('scale', `expected at least the crop of ${crop}, received ${scale.min}`);
    if (batch % microBatch !== 0) {
      problem('microBatch', `expected a divisor of the batch of ${batch}, received ${microBatch}`);
    }
    if (microBatch % workers !== 0) {
      const divided = value.microBatch === undefined ? 'batch' : 'micro-batch';
      problem('workers', `expected a divisor of the ${divided} of ${microBatch}, received ${workers}`);
    }
    if (head !== 'classes' && from === undefined) {
      problem(
        'from',
        `expected the run folder of a trained classification network, which head ${head} starts from`,
      );
    }
    if (trainable !== 'all' && from === undefined)
      problem('trainable', 'fullyConnected needs a network to start from');
  });

export type TrainingSettings = z.infer<typeof schema>;
export type TrainingSettingsInput = z.input<typeof schema>;

/** Checks settings and fills in the defaults. Throws INVALID_SETTINGS with all reasons. */
export function parseSettings(input: unknown): TrainingSettings {
  const result = schema.safeParse(input);
  if (!result.success) {
    const reasons = result.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'settings'}: ${message}`,
    );
    throw new VerydeepError('INVALID_SETTINGS', reasons.join('; '));
  }
  parseSchedule(result.data.rate, result.data.patience);
  return result.data;
}

/** Settings that change where or how fast the same arithmetic runs, or when it ends. */
const indecisive: readonly string[] = ['epochs', 'skipBroken', 'cacheBytes', 'data', 'list', 'from'];

/** The settings that decide what a step computes; a resumed training must have the same. */
export function decisive(settings: TrainingSettings): Partial<TrainingSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !indecisive.includes(name)));
}

/** Smallest side Q of validation pictures: S, or the middle of its range (paper, 4.1). */
export function validationScale({ scale }: Pick<TrainingSettings, 'scale'>): number {
  return Math.round((scale.min + scale.max) / 2);
}
