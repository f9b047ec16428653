import { checkWeights } from '../ensembles/check-weights.ts';
import { type NetworkInFolder, weightsPathOf } from '../ensembles/network.ts';
import { VerydeepError } from '../errors.ts';
import { openSafetensors } from '../formats/safetensors/read.ts';
import type { NetworkSpec } from '../network/architecture.ts';
import { copyFromShallower, copyMatching, initialWeights } from '../network/initialisers.ts';
import { weightLayersOf } from '../network/layers.ts';
import type { Preprocessing } from '../network/preprocessing.ts';
import type { WeightSources } from '../network/weights.ts';
import type { Dataset } from './dataset.ts';
import { randomStream } from './randomness.ts';
import type { TrainingSettings } from './settings.ts';

/** The network that the setting `from` means: the folder of a training, or what else the caller takes it for. Throws INVALID_WEIGHTS. */
export type FindSource = (from: string) => NetworkInFolder | Promise<NetworkInFolder>;

/** The network before its first step. */
export interface StartingPoint {
  readonly spec: NetworkSpec;
  readonly preprocessing: Preprocessing;
  readonly weights: WeightSources;
}

/**
 * Initial weights (paper, 3.1 and appendix A): random, or those of a trained network if `from` names one:
 * of the same architecture all layers, of a shallower one its first four convolutions and its fully connected layers.
 * The last layer is fresh unless it answers the same question. Throws INVALID_SETTINGS if the two do not fit.
 */
export async function startingPoint(
  settings: TrainingSettings,
  dataset: Dataset,
  findSource: FindSource,
): Promise<StartingPoint> {
  const { architecture, width, fc, crop, head } = settings;
  const spec: NetworkSpec = { architecture, width, fc, crop, head, classes: dataset.labels.length };
  const fresh = initialWeights(spec, settings.initialise, randomStream(settings.seed, 'initialise'));
  if (settings.from === undefined)
    return { spec, preprocessing: preprocessingFor(settings, dataset), weights: fresh };

  const source = await findSource(settings.from);
  const { network } = source;
  checkFits(spec, network, settings.from);
  const path = weightsPathOf(source);
  await checkWeights(path, network);
  const trained = openSafetensors(path).tensors;
  const copied =
    network.architecture === architecture
      ? copyMatching(fresh, trained)
      : copyFromShallower(fresh, spec, trained, network);
  const weights = new Map(copied);
  if (!sameQuestion(spec, dataset.labels, source)) {
    const last = weightLayersOf(spec).at(-1)!.name;
    for (const name of [`${last}.weight`, `${last}.bias`]) weights.set(name, fresh.get(name)!);
  }
  return { spec, preprocessing: network.preprocessing, weights };
}

/** Throws INVALID_SETTINGS if a network cannot start from another one, which was given as `from`. */
export function checkFits(spec: NetworkSpec, source: NetworkSpec, from: string): void {
  const refuse = (expected: string, received: string): never => {
    throw new VerydeepError(
      'INVALID_SETTINGS',
      `from: expected a network with ${expected}, ${from} has ${received}`,
    );
  };
  for (const knob of ['width', 'fc', 'crop'] as const) {
    if (spec[knob] !== source[knob]) refuse(`${knob} ${spec[knob]}`, `${source[knob]}`);
  }
  if (spec.head !== 'classes' && spec.architecture !== source.architecture) {
    refuse(`architecture ${spec.architecture}`, source.architecture);
  }
}

// --- helpers ---

/**
 * The training set's mean RGB is subtracted (paper, 2.1). N(0, 0.01^2) is made for such pixels; Glorot's and He's
 * deviations are made for inputs of deviation 1, so with them the channels' standard deviation is divided out as well.
 */
function preprocessingFor({ initialise }: TrainingSettings, { colours }: Dataset): Preprocessing {
  const std = initialise === 'gaussian' ? ([1, 1, 1] as const) : colours.standardDeviation;
  return { channelOrder: 'rgb', scale: 1, mean: colours.mean, std };
}

function sameQuestion(spec: NetworkSpec, labels: readonly string[], source: NetworkInFolder): boolean {
  return spec.head === source.network.head && labels.join('\n') === source.labels.join('\n');
}
