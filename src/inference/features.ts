import type { Batch, Engine, NetworkSource } from '../engine/engine.ts';
import type { Ensemble } from '../ensembles/ensemble.ts';
import { decodeAtScales } from '../image/decode.ts';
import type { ImageLimits } from '../image/limits.ts';
import { networkSources } from './network-sources.ts';

/** The classification networks without their last layer (paper, appendix B), called by their names in the ensemble. */
export function featureSources(ensemble: Ensemble, names: readonly string[]): NetworkSource[] {
  const sources = networkSources(ensemble);
  return ensemble.classifiers.flatMap(({ name }, i) => {
    const { spec, ...source } = sources[i]!;
    return names.includes(name) ? [{ ...source, id: name, spec: { ...spec, head: 'features' } }] : [];
  });
}

export interface FeatureOptions {
  /** Names of loaded {@link featureSources}. */
  readonly networks: readonly string[];
  /** Smallest sides Q in pixels. */
  readonly scales: readonly number[];
  readonly flip: boolean;
  readonly limits: ImageLimits;
}

/**
 * Features of one image by network: activations of the second fully connected layer averaged over locations, picture and
 * mirror image, then over the scales, then L2-normalised (paper, appendix B, which also tries stacking the scales).
 * Throws the coded errors of an image, and those of the engine.
 */
export async function imageFeatures(
  engine: Pick<Engine, 'run'>,
  bytes: Uint8Array,
  { networks, scales, flip, limits }: FeatureOptions,
): Promise<Map<string, Float32Array>> {
  const { pictures } = await decodeAtScales(bytes, scales, limits);
  const answers = await Promise.all(
    pictures.map((picture) => {
      const batch: Batch = { networks, ...picture, count: 1, flip, maps: false };
      return engine.run(batch);
    }),
  );
  return new Map(
    networks.map((name) => [name, normalisedMean(answers.map((answer) => answer.get(name)!.features!))]),
  );
}

// --- helpers ---

/** Of length one, or all zeros where every activation is. */
function normalisedMean(vectors: readonly Float32Array[]): Float32Array {
  const sums = new Float64Array(vectors[0]!.length);
  for (const vector of vectors) for (const [i, value] of vector.entries()) sums[i]! += value;
  const norm = Math.hypot(...sums);
  return Float32Array.from(sums, (sum) => (norm > 0 ? sum / norm : 0));
}
