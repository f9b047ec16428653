import { z } from 'zod';
import type { Manifest } from '../ensembles/manifest.ts';
import { VerydeepError } from '../errors.ts';
import { checkAskedScales } from '../evaluation/compared.ts';

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

/** What an ensemble can be asked for, before the job waits for its turn. Throws INVALID_JOB, INVALID_OPTION. */
export function checkFitsEnsemble(
  { networks, scales, localise }: EvaluationJobSettings,
  { ensemble, version, networks: all }: Manifest,
): void {
  const classifiers = all.filter(({ head }) => head === 'classes').map(({ name }) => name);
  const unknown = networks?.find((name) => !classifiers.includes(name));
  if (unknown !== undefined) {
    throw bad(`settings.networks: expected some of ${classifiers.join(', ')}; received "${unknown}"`);
  }
  if (localise && all.every(({ head }) => head === 'classes')) {
    throw bad(`settings.localise: expected a box network in ${ensemble}@${version}, which has none`);
  }
  if (scales) for (const network of all) checkAskedScales('settings.scales', scales, network);
}

function bad(message: string): VerydeepError {
  return new VerydeepError('INVALID_JOB', message);
}
