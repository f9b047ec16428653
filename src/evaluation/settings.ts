import { z } from 'zod';
import { imageOptions, networkNames, scale, view } from '../inference/options.ts';
import { optionHints } from '../options/hints.ts';
import type { ValuesOf } from '../options/values.ts';

/** What an evaluation measures and how: of `verydeep evaluate`, and of a job that evaluates. */
export const evaluationSettings = z.strictObject({
  split: z
    .string()
    .regex(/^[\w-]+$/, 'expected the name of a folder')
    .default('val')
    .register(optionHints, { value: 'NAME' })
    .describe("Folder of the images, in the data set's folder."),
  networks: networkNames.optional().describe('Only these classification networks; all when omitted.'),
  scales: z
    .array(scale)
    .min(1)
    .register(optionHints, { value: 'Q,Q,...' })
    .optional()
    .describe(
      'Smallest sides Q in pixels; when omitted, those of the ensemble, or of the training (S - 32, S, S + 32).',
    ),
  flip: imageOptions.shape.flip,
  view: z
    .array(view)
    .min(1)
    .register(optionHints, { value: 'VIEW,...' })
    .default(['dense'])
    .describe(
      'The whole picture (`dense`), a 5 x 5 grid of crops (`crops`), or the mean of both (`both`); several are compared.',
    ),
  localise: z
    .boolean()
    .default(false)
    .describe('Also measure the boxes of the ensembles: right class, and intersection over union above 0.5.'),
});

export type EvaluationSettings = ValuesOf<typeof evaluationSettings>;
