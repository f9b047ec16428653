import type { Manifest } from '../ensembles/manifest.ts';
import { checkAskedScales } from '../evaluation/compared.ts';
import { type EvaluationSettings, evaluationSettings } from '../evaluation/settings.ts';
import { checkNetworks } from '../inference/options.ts';
import { invalidOption } from '../options/invalid-option.ts';
import { readOptions } from '../options/read.ts';

const nameOf = (path: readonly PropertyKey[]): string => ['settings', ...path].join('.');

/** Throws INVALID_SETTINGS with all reasons. */
export function parseEvaluationSettings(settings: unknown): EvaluationSettings {
  return readOptions(evaluationSettings, settings, 'INVALID_SETTINGS', { kind: 'setting', nameOf });
}

/** What an ensemble can be asked for, before the job waits for its turn. Throws INVALID_OPTION. */
export function checkFitsEnsemble(
  { networks, scales, localise }: EvaluationSettings,
  { ensemble, version, networks: all }: Manifest,
): void {
  const classifiers = all.filter(({ head }) => head === 'classes').map(({ name }) => name);
  if (networks) checkNetworks(nameOf(['networks']), networks, classifiers);
  if (localise && all.every(({ head }) => head === 'classes')) {
    throw invalidOption(nameOf(['localise']), `false, as ${ensemble}@${version} has no box network`, 'true');
  }
  if (scales) for (const network of all) checkAskedScales(nameOf(['scales']), scales, network);
}
