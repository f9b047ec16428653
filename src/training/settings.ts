import { z } from 'zod';
import { precisions } from '../engine/precision.ts';
import { VerydeepError } from '../errors.ts';
import { architectureNames, poolStride } from '../network/architecture.ts';
import { initialisers } from '../network/initialisers.ts';
import { optionHints } from '../options/hints.ts';
import { describeIssues, type IssueWording } from '../options/issues.ts';
import type { ValuesOf } from '../options/values.ts';
import { threadLimit } from '../processes/threads.ts';
import { rate, scale } from './setting-values.ts';

/**
 * Everything that decides how a training runs: the one list for the command line, for jobs and for the docs. Kept in
 * checkpoints.
 */

/** Most pictures in one pass: beyond, their activations fit into no machine. */
const maxMicroBatch = 4096;

/** What it is trained on. */
export const dataSettings = {
  data: path('FOLDER').describe(
    'Folder of the data set: train/CLASS/NAME.jpg and val/CLASS/NAME.jpg, boxes in metadata.jsonl; or those of ILSVRC.',
  ),
  list: path('FILE')
    .optional()
    .describe('File that lists the training images to use, CLASS/NAME a line; all when omitted.'),
  skipBroken: z
    .number()
    .min(0)
    .max(1)
    .register(optionHints, { value: 'SHARE' })
    .default(0.01)
    .describe('Share of the images of a split that may be broken; three may be in any case, unless it is 0.'),
};

/** What is trained. */
export const networkSettings = {
  architecture: z
    .enum(architectureNames)
    .default('D')
    .describe('Configuration of the paper: D is VGG-16, E is VGG-19.'),
  width: z.number().positive().max(4).default(1).describe('Multiplier of the channels.'),
  fc: z.int().min(1).max(16_384).default(4096).describe('Outputs of the hidden fully connected layers.'),
  crop: z
    .int()
    .min(poolStride)
    .max(1024)
    .multipleOf(poolStride)
    .default(224)
    .describe('Side of the training crops in pixels.'),
  head: z
    .enum(['classes', 'scr', 'pcr'])
    .default('classes')
    .describe('What it learns: classes, or boxes: one for all classes (`scr`), one for each (`pcr`).'),
};

/** How it is trained. */
export const recipeSettings = {
  scale,
  batch: z.int().min(1).max(65_536).default(256).describe('Pictures in an update.'),
  microBatch: z
    .int()
    .min(1)
    .max(maxMicroBatch)
    .register(optionHints, { defaultText: 'the batch' })
    .optional()
    .describe('Pictures in one pass, a divisor of the batch: fewer take less memory.'),
  epochs: z.int().min(1).max(100_000).default(74).describe('Passes over the training images.'),
  rate,
  patience: z
    .int()
    .min(1)
    .max(100_000)
    .default(8)
    .describe('Epochs without improvement of the validation before the rate falls.'),
  initialise: z
    .enum(initialisers)
    .default('he')
    .describe(
      'How fresh weights are drawn; `gaussian` is N(0, 0.01²) as in the paper, from which deep networks stall.',
    ),
  from: path('RUN')
    .optional()
    .describe(
      'Trained network to start from, of the same architecture or a shallower one (paper, 3.1): a run folder, or NAME@VERSION/NETWORK. Architecture, width, fc, crop and scale are its own when omitted.',
    ),
  trainable: z
    .enum(['all', 'fullyConnected'])
    .default('all')
    .describe('Layers that are trained, of a network that starts from another.'),
  seed: z.int().default(1).describe('Of all random numbers: the same seed gives the same network.'),
};

/** What it runs on. */
export const machineSettings = {
  precision: z.enum(precisions).default('fp32').describe('Arithmetic of the activations (docs/engines.md).'),
  threads: z
    .int()
    .min(1)
    .max(1024)
    .register(optionHints, { defaultText: 'all cores' })
    .default(() => threadLimit())
    .describe('Threads of the CPU.'),
  workers: z
    .int()
    .min(1)
    .max(256)
    .default(1)
    .describe('Processes that divide each micro-batch, and the threads, among them (paper, 3.3).'),
  cacheMb: z
    .int()
    .min(0)
    .max(2 ** 20)
    .default(2048)
    .describe('Memory for decoded pictures in MiB; those beyond are decoded again each time.'),
};

const settings = z.strictObject({
  ...dataSettings,
  ...networkSettings,
  ...recipeSettings,
  ...machineSettings,
});

export type TrainingSettings = ValuesOf<typeof settings>;
/** As they are written: `scale: '256-512'`. */
export type TrainingSettingsInput = z.input<typeof settings>;

export const trainingSettings = settings.superRefine(checkTogether);

/** Values that contradict one another, as a check of a schema that has the settings among its members. */
export function checkTogether(value: TrainingSettings, context: z.core.$RefinementCtx): void {
  if (context.issues.length > 0) return; // a value that is wrong in itself contradicts nothing
  const problem = (name: keyof TrainingSettings, message: string): void => {
    context.addIssue({ code: 'custom', path: [name], message });
  };
  const { scale, crop, batch, microBatch = batch, workers, head, from, trainable } = value;
  if (scale.min < crop) problem('scale', `expected at least the crop of ${crop}; received ${scale.min}`);
  if (batch % microBatch !== 0) {
    problem('microBatch', `expected a divisor of the batch of ${batch}; received ${microBatch}`);
  }
  if (microBatch > maxMicroBatch) {
    const expected = `expected at most ${maxMicroBatch} pictures in one pass, a divisor of the batch`;
    problem('microBatch', `${expected}; received none, and a batch of ${batch}`);
  }
  if (microBatch % workers !== 0) {
    const divided = value.microBatch === undefined ? 'batch' : 'micro-batch';
    problem('workers', `expected a divisor of the ${divided} of ${microBatch}; received ${workers}`);
  }
  if (head !== 'classes' && from === undefined) {
    problem(
      'from',
      `expected a trained classification network, which head ${head} starts from; received none`,
    );
  }
  if (trainable !== 'all' && from === undefined) {
    problem('trainable', `expected all without a network to start from; received ${trainable}`);
  }
}

/** Checks settings and fills in the defaults. Throws INVALID_SETTINGS with all reasons. */
export function parseSettings(
  received: unknown,
  wording: IssueWording = { kind: 'setting' },
): TrainingSettings {
  const { data, error } = trainingSettings.safeParse(received);
  if (data) return data;
  const reasons = describeIssues(trainingSettings, error.issues, received, wording);
  throw new VerydeepError('INVALID_SETTINGS', reasons.join('. '));
}

/** The same settings as people write them; {@link parseSettings} reads them again. */
export function writtenSettings(settings: TrainingSettings): TrainingSettingsInput {
  return z.encode(trainingSettings, { ...settings });
}

/**
 * Settings that change where or how fast the same arithmetic runs, or when it ends. `cacheBytes` was the name of
 * `cacheMb` in older checkpoints.
 */
const indecisive: readonly string[] = [
  'epochs',
  'skipBroken',
  'cacheMb',
  'cacheBytes',
  'data',
  'list',
  'from',
];

/** The settings that decide what a step computes; a resumed training must have the same. */
export function decisive(settings: TrainingSettings): Partial<TrainingSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !indecisive.includes(name)));
}

/** Smallest side Q of validation pictures: S, or the middle of its range (paper, 4.1). */
export function validationScale({ scale }: Pick<TrainingSettings, 'scale'>): number {
  return Math.round((scale.min + scale.max) / 2);
}

// --- helpers ---

function path(value: 'FOLDER' | 'FILE' | 'RUN') {
  const values = value === 'FILE' ? 'a file' : 'a folder';
  return z.string(`expected ${values}`).min(1, `expected ${values}`).register(optionHints, { value, values });
}
