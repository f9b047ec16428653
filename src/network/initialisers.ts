import type { NetworkSpec } from './architecture.ts';
import { fanInOf, type WeightLayer, weightLayersOf } from './layers.ts';
import type { Random } from './random.ts';
import type { Tensor, Weights } from './weights.ts';

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

/** Fresh weights. */
export function initialWeights(spec: NetworkSpec, initialiser: Initialiser, random: Random): Weights {
  const weights = new Map<string, Tensor>();
  for (const layer of weightLayersOf(spec)) {
    const deviation = deviations[initialiser](layer);
    const shape =
      layer.kind === 'convolution'
        ? [layer.outputs, layer.inputs, layer.kernel, layer.kernel]
        : [layer.outputs, fanInOf(layer)];
    const data = new Float32Array(layer.outputs * fanInOf(layer));
    for (let i = 0; i < data.length; i++) data[i] = deviation * random.normal();
    weights.set(`${layer.name}.weight`, { shape, data });
    weights.set(`${layer.name}.bias`, { shape: [layer.outputs], data: new Float32Array(layer.outputs) });
  }
  return weights;
}

/**
 * The paper's way to start a deep net (3.1): the first four convolutions and the fully connected layers are copied
 * from a trained shallower one, the rest stays as in `fresh`. A layer whose shape differs (another head) stays fresh.
 */
export function copyFromShallower(
  fresh: Weights,
  deep: NetworkSpec,
  trained: Weights,
  shallow: NetworkSpec,
): Weights {
  const weights = new Map(fresh);
  const pick = (spec: NetworkSpec): WeightLayer[] => {
    const layers = weightLayersOf(spec);
    return [...layers.slice(0, 4), ...layers.slice(-3)];
  };
  const sources = pick(shallow);
  pick(deep).forEach((target, i) => {
    const source = sources[i]!;
    for (const part of ['weight', 'bias']) {
      const tensor = trained.get(`${source.name}.${part}`)!;
      const own = weights.get(`${target.name}.${part}`)!;
      if (sameShape(tensor.shape, own.shape)) weights.set(`${target.name}.${part}`, copyOf(tensor));
    }
  });
  return weights;
}

/** All layers of a trained net of the same architecture, but for those whose shape differs (the last, of another head). */
export function copyMatching(fresh: Weights, trained: Weights): Weights {
  return new Map(
    [...fresh].map(([name, own]) => {
      const tensor = trained.get(name);
      return [name, tensor && sameShape(tensor.shape, own.shape) ? copyOf(tensor) : own];
    }),
  );
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

function copyOf({ shape, data }: Tensor): Tensor {
  return { shape, data: data.slice() };
}
