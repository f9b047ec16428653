import type { Manifest } from '../ensembles/manifest.ts';
import { checkAskedScales } from '../evaluation/compared.ts';
import type { EvaluationSettings } from '../evaluation/settings.ts';
import { checkNetworks } from '../inference/options.ts';
import { invalidOption } from '../options/invalid-option.ts';
import { settingName } from './setting-name.ts';

/** What an ensemble can be asked for, before the job waits for its turn. Throws INVALID_OPTION. */
export function checkFitsEnsemble(
  { networks, scales, localise }: EvaluationSettings,
  { ensemble, version, networks: all }: Manifest,
): void {
  const classifiers = all.filter(({ head }) => head === 'classes').map(({ name }) => name);
  if (networks) checkNetworks(settingName(['networks']), networks, classifiers);
  if (localise && all.every(({ head }) => head === 'classes')) {
    const expected = `false, as ${ensemble}@${version} has no box network`;
    throw invalidOption(settingName(['localise']), expected, 'true');
  }
  if (scales) for (const network of all) checkAskedScales(settingName(['scales']), scales, network);
}
