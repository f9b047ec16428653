import { z } from 'zod';
import {
  type InferenceOptions,
  imageOptions,
  optionsOf as inferenceOptionsOf,
  type Task,
} from '../../inference/options.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import { readOptions } from '../../options/read.ts';

const timeoutMs = z
  .int()
  .min(1)
  .optional()
  .describe("Longest time to the answer in milliseconds, at most the service's own, which is the default.");

/**
 * Options of an image, as the query of a request or as members of a stream's message: text that stands for a value, or
 * the value itself.
 */
export const optionsOf = {
  classify: inferenceOptionsOf.classify.extend({ timeoutMs }),
  localise: inferenceOptionsOf.localise.extend({ timeoutMs }),
} as const satisfies Record<Task, z.ZodObject>;

/** Options as inference takes them, with the time that their caller gives. */
export interface ImageTask {
  readonly options: InferenceOptions;
  readonly timeoutMs: number;
}

/** Throws INVALID_OPTION with all reasons; also when `timeoutMs` is over the service's own. */
export function readImageTask(task: Task, received: unknown, maxTimeoutMs: number): ImageTask {
  const { timeoutMs = maxTimeoutMs, ...options } = readOptions(optionsOf[task], received, 'INVALID_OPTION');
  if (timeoutMs > maxTimeoutMs) {
    throw invalidOption('timeoutMs', `an integer from 1 to ${maxTimeoutMs}`, timeoutMs);
  }
  return { timeoutMs, options: imageOptions.parse({ task, ...options }) };
}
