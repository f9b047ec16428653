import { z } from 'zod';
import { VerydeepError } from '../errors.ts';

const schema = z.strictObject({
  split: z
    .string()
    .regex(/^[\w-]+$/, 'expected the name of a folder')
    .default('val'),
  /** Measure boxes as well. */
  localise: z.boolean().default(false),
  flip: z.boolean().default(true),
  view: z.enum(['dense', 'crops', 'both']).default('dense'),
  /** Smallest sides Q in pixels; the ensemble's own where not given. */
  scales: z.array(z.number().int().positive()).min(1).optional(),
  /** Classification networks; all where not given. */
  networks: z.array(z.string()).min(1).optional(),
});

export type EvaluationJobSettings = z.infer<typeof schema>;

/** Throws INVALID_SETTINGS with all reasons. */
export function parseEvaluationSettings(settings: unknown): EvaluationJobSettings {
  const { data, error } = schema.safeParse(settings);
  if (data) return data;
  const reasons = error.issues.map(({ path, message }) => `${['settings', ...path].join('.')}: ${message}`);
  throw new VerydeepError('INVALID_SETTINGS', reasons.join('; '));
}
