import type { NetworkSpec } from './architecture.ts';
import { fanInOf, layersOf, type WeightLayer, weightLayersOf, weightShapeOf } from './layers.ts';
import { createRandom, type Random } from './random.ts';
import { computedTensor, type Tensor, type TensorSource, type WeightSources } from './weights.ts';

/** Standard deviation of a layer's initial weights; biases are zero. */
const deviations = {
  /** The paper's own (3.1): N(0, 0.01^2). */
  gaussian: () => 0.01,
  /** Glorot and Bengio 2010, which the paper found afterwards. */
  glorot: (layer: WeightLayer) => Math.sqrt(2 / (fanInOf(layer) + layer.outputs * layer.kernel ** 2)),
  /** He et al. 2015, made for ReLU. */
  he: (layer: WeightLayer) => Math.sqrt(2 / fanInOf(layer)),
} as const;

export type Initialiser = keyof typeof deviations;

export const initialisers = Object.keys(deviations) as Initialiser[];

/** Fresh weights. Each tensor has a random state of its own, that of `random` after all before it. */
export function initialWeights(
  spec: NetworkSpec,
  initialiser: Initialiser,
  random: Random,
): ReadonlyMap<string, TensorSource> {
  const weights = new Map<string, TensorSource>();
  for (const layer of weightLayersOf(spec)) {
    const deviation = deviations[initialiser](layer);
    const state = random.state();
    const draw = (): (() => number) => {
      const own = createRandom(state);
      return () => deviation * own.normal();
    };
    weights.set(`${layer.name}.weight`, computedTensor(weightShapeOf(layer), draw));
    weights.set(
      `${layer.name}.bias`,
      computedTensor([layer.outputs], () => () => 0),
    );
    random.skipNormal(layer.outputs * fanInOf(layer));
  }
  return weights;
}

/**
 * The paper's way to start a deep net (3.1): the first four convolutions of a trained shallower one and its fully
 * connected layers are copied, the rest stays as in `fresh`. A convolution goes to the same place of the same stage
 * (A's four are the first of stages 1 and 2 and the first two of stage 3), which is where their shapes agree.
 */
export function copyFromShallower(
  fresh: WeightSources,
  deep: NetworkSpec,
  trained: WeightSources,
  shallow: NetworkSpec,
): WeightSources {
  const targets = placesOf(deep);
  const sources = [...placesOf(shallow)];
  const copied = [...sources.slice(0, 4), ...sources.slice(-3)];
  const renamed = new Map<string, Tensor | TensorSource>();
  for (const [place, source] of copied) {
    const target = targets.get(place);
    if (!target) continue;
    for (const part of ['weight', 'bias'])
      renamed.set(`${target}.${part}`, trained.get(`${source}.${part}`)!);
  }
  return copyMatching(fresh, renamed);
}

/** Layers of a trained net by name; what it lacks, or has in another shape (the last layer, of another head), stays fresh. */
export function copyMatching(fresh: WeightSources, trained: WeightSources): WeightSources {
  return new Map(
    [...fresh].map(([name, own]) => {
      const tensor = trained.get(name);
      return [name, tensor && sameShape(tensor.shape, own.shape) ? tensor : own];
    }),
  );
}

// --- helpers ---

/** Names of the weight layers by stage and place in the stage: `2.1` is the second convolution of stage 3, `5.0` the first fully connected layer. */
function placesOf(spec: NetworkSpec): Map<string, string> {
  const places = new Map<string, string>();
  let stage = 0;
  let place = 0;
  for (const layer of layersOf(spec)) {
    if (layer.kind === 'pool') {
      stage += 1;
      place = 0;
    } else {
      places.set(`${stage}.${place}`, layer.name);
      place += 1;
    }
  }
  return places;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}
