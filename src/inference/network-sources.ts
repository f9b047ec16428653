import type { NetworkSource } from '../engine/engine.ts';
import type { Ensemble, EnsembleNetwork } from '../ensembles/ensemble.ts';

/** The id of a network in the engine: `demo/1/d`. */
export function networkId(ensemble: Pick<Ensemble, 'name' | 'version'>, network: EnsembleNetwork): string {
  return `${ensemble.name}/${ensemble.version}/${network.name}`;
}

/** The networks of an ensemble as an engine loads them, classifiers first, under the ids of {@link networkId}. */
export function networkSources(ensemble: Ensemble): NetworkSource[] {
  return [...ensemble.classifiers, ...ensemble.localisers].map((network) => ({
    id: networkId(ensemble, network),
    spec: network.spec,
    preprocessing: network.preprocessing,
    weights: { path: network.path },
  }));
}
