import { z } from 'zod';
import { optionHints } from '../../src/options/hints.ts';

/** A group with an option of each kind. */
export const group = z.strictObject({
  top: z.int().min(1).max(1000).default(5).describe('Classes in the answer.'),
  width: z.number().positive().max(4).default(1).describe('Channel multiplier.'),
  microBatch: z.int().positive().multipleOf(32).optional().describe('Pictures in one pass, with `fc`.'),
  scales: z
    .array(z.int().min(32).max(512))
    .min(1)
    .max(3)
    .optional()
    .register(optionHints, { value: 'Q,Q,...' })
    .describe('Smallest sides in pixels.'),
  networks: z.array(z.string().min(1).max(9)).optional().describe('Networks to average.'),
  view: z.enum(['dense', 'crops']).default('dense').describe('JPEG as a whole, or its crops.'),
  flip: z.boolean().default(true).describe('Average over the mirror image.'),
  localise: z.boolean().default(false).describe('Also measure boxes.'),
  weights: z
    .string()
    .register(optionHints, { value: 'FOLDER', defaultText: 'the package’s' })
    .default('/a/path')
    .describe('Folder of ensembles.'),
  run: z
    .array(z.string())
    .default([])
    .register(optionHints, { repeated: true, value: 'RUN' })
    .describe('Folder of a training.'),
  range: z
    .strictObject({ min: z.int(), max: z.int() })
    .register(optionHints, {
      value: 'MIN-MAX',
      fromText(text) {
        const [min, max = min] = text.split('-').map(Number);
        return { min, max };
      },
    })
    .optional()
    .describe('Range.'),
  token: z.string().min(16).register(optionHints, { secret: true }).optional().describe('Opens.'),
});
