import { z } from 'zod';
import { VerydeepError } from '../../errors.ts';
import type { InferenceOptions, Task } from '../../inference/inference.ts';
import { describeIssues } from '../issues.ts';

/**
 * Options of an image, as the query of a request or as members of a stream's message. One schema serves both: a
 * query's text is turned into the value that it stands for, a message's values are taken as they are. (`prefault`: Zod
 * tells no `default` of what it preprocesses in JSON Schema.)
 */
const common = {
  top: option(z.int().min(1).max(1000))
    .prefault(5)
    .describe('Classes in the answer: all where the ensemble has fewer; at most 20 to localise.'),
  scales: option(
    z
      .array(z.int().min(1).max(10_000))
      .min(1)
      .max(8)
      .meta({ examples: [[144, 160]] }),
  )
    .optional()
    .describe(
      "Smallest sides Q in pixels to which the image is rescaled, separated by commas; the ensemble's own where not given.",
    ),
  flip: option(z.boolean()).prefault(true).describe('Average over the image and its mirror image.'),
  view: option(z.enum(['dense', 'crops', 'both']))
    .prefault('dense')
    .describe(
      'The whole image (`dense`), a 5 x 5 grid of crops at each scale, or the mean of both; `dense` to localise.',
    ),
  networks: option(
    z
      .array(z.string().min(1).max(100))
      .min(1)
      .max(100)
      .meta({ examples: [['d', 'e']] }),
  )
    .optional()
    .describe('Names of classification networks to average, separated by commas; all where not given.'),
  timeoutMs: option(z.int().min(1))
    .optional()
    .describe("Longest time to the answer in milliseconds, at most the service's own, which is the default."),
};

const ownOptions = {
  classify: {
    maps: option(z.boolean())
      .prefault(false)
      .describe(
        'Also answer the score maps of the top classes: their posterior at every window of every scale.',
      ),
  },
  localise: {
    boxes: option(z.enum(['best', 'all']))
      .prefault('best')
      .describe('The best merged box of each of the top classes, or all merged boxes.'),
  },
};

export const classifyOptions = z.strictObject({ ...common, ...ownOptions.classify });
export const localiseOptions = z.strictObject({ ...common, ...ownOptions.localise });

export type ImageOptions = z.output<typeof classifyOptions> | z.output<typeof localiseOptions>;

/** Options as inference takes them, with the time that their caller gives. */
export interface ImageTask {
  readonly options: InferenceOptions;
  readonly timeoutMs: number;
}

/** Throws INVALID_OPTION where `timeoutMs` is over the service's own. */
export function toImageTask(task: Task, received: ImageOptions, maxTimeoutMs: number): ImageTask {
  const { timeoutMs = maxTimeoutMs, scales, networks, top, flip, view } = received;
  if (timeoutMs > maxTimeoutMs) {
    throw new VerydeepError(
      'INVALID_OPTION',
      `timeoutMs: expected an integer from 1 to ${maxTimeoutMs}; received ${timeoutMs}`,
    );
  }
  return {
    timeoutMs,
    options: {
      task,
      top,
      flip,
      view,
      maps: 'maps' in received && received.maps,
      boxes: 'boxes' in received ? received.boxes : 'best',
      ...(scales && { scales }),
      ...(networks && { networks }),
    },
  };
}

/** What the options' schemas found wrong, in one sentence. */
export function optionError(
  issues: readonly z.core.$ZodIssue[],
  received: unknown,
  known: readonly string[],
): VerydeepError {
  return new VerydeepError('INVALID_OPTION', describeIssues(issues, received, 'option', known));
}

/** Names of the options of a task. */
export const optionNames: Readonly<Record<Task, readonly string[]>> = {
  classify: Object.keys(classifyOptions.shape),
  localise: Object.keys(localiseOptions.shape),
};

// --- helpers ---

/** Takes the option itself, or text that stands for it. */
function option<Schema extends z.ZodType>(schema: Schema) {
  const isList = schema instanceof z.ZodArray;
  return z.preprocess((value) => {
    if (typeof value !== 'string') return value;
    return isList ? value.split(',').map(fromText(schema.element as z.ZodType)) : fromText(schema)(value);
  }, schema);
}

function fromText(schema: z.ZodType): (text: string) => unknown {
  if (schema instanceof z.ZodNumber)
    return (text) => (/^-?\d{1,15}$/.test(text.trim()) ? Number(text) : text);
  if (schema instanceof z.ZodBoolean) return (text) => ({ true: true, false: false })[text] ?? text;
  return (text) => text;
}
