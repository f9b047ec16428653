import { z } from 'zod';
import { optionHints } from '../options/hints.ts';
import { invalidOption } from '../options/invalid-option.ts';
import { readOptions } from '../options/read.ts';
import type { ValuesOf } from '../options/values.ts';

/** The options of an image: the only place that names them, their bounds and their defaults. */

export const task = z.enum(['classify', 'localise']);
export type Task = z.output<typeof task>;
export const tasks = task.options;

/** Dense evaluation over the whole picture, a 5 x 5 grid of crops, or the mean of both (paper, 3.2 and 4.3). */
export const view = z.enum(['dense', 'crops', 'both']);
export type View = z.output<typeof view>;

/** Most test scales of one request. */
const maxScales = 8;
/** Largest test scale in crops: 672 for networks of crop 224; the paper's own test scales end at 512. */
const maxScaleInCrops = 3;
const maxClasses = 1000;
/** Most classes whose boxes are asked for: merging them is work on the serving thread. */
const maxLocalisedClasses = 20;

/** A test scale Q. What a network can take is known with its crop: {@link checkScales}. */
export const scale = z.int().min(1).max(10_000);

export const networkNames = z
  .array(z.string().min(1).max(100))
  .min(1)
  .max(100)
  .register(optionHints, { value: 'A,B,...' })
  .meta({ examples: [['d', 'e']] });

/** All that inference is asked for with an image. */
export const imageOptions = z.strictObject({
  task,
  top: top(maxClasses),
  scales: z
    .array(scale)
    .min(1)
    .max(maxScales)
    .register(optionHints, { value: 'Q,Q,...' })
    .meta({ examples: [[144, 160]] })
    .optional()
    .describe(
      "Smallest sides Q in pixels to which the image is rescaled, separated by commas; the ensemble's own when omitted.",
    ),
  flip: z.boolean().default(true).describe('Average over the image and its mirror image.'),
  view: view
    .default('dense')
    .describe(
      'The whole image (`dense`), a 5 x 5 grid of crops at each scale (`crops`), or the mean of both (`both`).',
    ),
  networks: networkNames
    .optional()
    .describe('Names of classification networks to average, separated by commas; all when omitted.'),
  maps: z
    .boolean()
    .default(false)
    .describe(
      'Also return the score maps of the top classes: their posterior at every window of every scale.',
    ),
  boxes: z
    .enum(['best', 'all'])
    .default('best')
    .describe('The best merged box of each of the top classes, or all merged boxes.'),
});

export type InferenceOptions = ValuesOf<typeof imageOptions>;

/** What callers can choose for each task. */
export const optionsOf = {
  classify: imageOptions.omit({ task: true, boxes: true }),
  localise: imageOptions.omit({ task: true, maps: true }).extend({
    top: top(maxLocalisedClasses),
    view: view.extract(['dense']).default('dense').describe('Boxes are localised on the whole image.'),
  }),
} as const satisfies Record<Task, z.ZodObject>;

/** Fills in the defaults. Throws INVALID_OPTION with all reasons. */
export function readImageOptions(task: Task, received: object): InferenceOptions {
  const options = readOptions(optionsOf[task], received, 'INVALID_OPTION');
  return imageOptions.parse({ task, ...options });
}

/** What test scales have to fit: the networks' crop, and the scales that they are served at by default. */
export interface ScaleLimits {
  /** Side of the crop in pixels. */
  readonly crop: number;
  readonly scales: readonly number[];
  /** Whose crop it is, for the message. */
  readonly network?: string;
}

/** Test scales Q: different ones, from the crop to three crops. Throws INVALID_OPTION, which names the `option`. */
export function checkScales(
  option: string,
  scales: readonly number[],
  { crop, scales: own, network }: ScaleLimits,
): void {
  const max = Math.max(maxScaleInCrops * crop, ...own);
  const outside = scales.find((scale) => scale < crop || scale > max);
  if (outside !== undefined) {
    const whose = network === undefined ? 'the crop' : `the crop of ${network}`;
    throw invalidOption(option, `integers from ${crop} (${whose}) to ${max}`, outside);
  }
  checkDifferent(option, scales);
}

/** Names of networks: different ones of those that are `known`. Throws INVALID_OPTION, which names the `option`. */
export function checkNetworks(option: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw invalidOption(option, `some of ${known.join(', ')}`, JSON.stringify(unknown));
  checkDifferent(option, names);
}

// --- helpers ---

function top(most: number) {
  return z
    .int()
    .min(1)
    .max(most)
    .default(5)
    .describe('Classes in the answer; all when the ensemble has fewer.');
}

function checkDifferent(option: string, values: readonly (string | number)[]): void {
  const twice = values.find((value, i) => values.indexOf(value) < i);
  if (twice !== undefined) throw invalidOption(option, 'different ones', `${twice} twice`);
}
