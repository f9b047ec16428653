import type { Engine, NetworkOutput } from '../../src/engine/engine.ts';
import type { TrainingStep, TrainingStepOptions } from '../../src/engine/training-step.ts';
import type { ForwardSpec } from '../../src/network/architecture.ts';
import { outputsOf } from '../../src/network/architecture.ts';
import type { Preprocessing } from '../../src/network/preprocessing.ts';
import { copyOfWeights, type Weights } from '../../src/network/weights.ts';

/**
 * The simplest training step and engine: a linear layer (the network's last, so `fc` must be 3) over the picture's
 * prepared mean colour. Softmax regression, or least squares for boxes. All else of the network stays as it is.
 */
const [weightName, biasName] = ['classifier.6.weight', 'classifier.6.bias'];

export async function createLinearStep(
  options: Omit<TrainingStepOptions, 'device' | 'libraryPath'>,
): Promise<TrainingStep> {
  const { spec, preprocessing, momentum, weightDecay } = options;
  const weights = copyOfWeights(options.weights);
  const zero = (): Weights =>
    new Map(
      [...weights].map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]),
    );
  const velocity = copyOfWeights(options.velocity ?? zero());
  let gradient = zero();
  return {
    name: 'linear',
    async accumulate({ pixels, labels, boxes, colourShift }, share) {
      const count = labels.length;
      let loss = 0;
      for (let n = 0; n < count; n++) {
        const picture = pixels.subarray((n * pixels.length) / count, ((n + 1) * pixels.length) / count);
        const x = meanColour(picture, preprocessing, colourShift.subarray(n * 3, n * 3 + 3));
        const outputs = linear(weights, x);
        const label = labels[n]!;
        let delta: number[];
        if (spec.head === 'classes') {
          const posteriors = softmax(outputs);
          loss -= Math.log(posteriors[label]!) / count;
          delta = posteriors.map((p, i) => p - (i === label ? 1 : 0));
        } else {
          const first = spec.head === 'scr' ? 0 : 4 * label;
          delta = outputs.map((y, i) => (i >= first && i < first + 4 ? y - boxes![n * 4 + i - first]! : 0));
          loss += delta.reduce((sum, d) => sum + d * d, 0) / 2 / count;
        }
        delta.forEach((d, i) => {
          gradient.get(biasName)!.data[i]! += (d * share) / count;
          x.forEach((value, j) => {
            gradient.get(weightName)!.data[i * 3 + j]! += (d * value * share) / count;
          });
        });
      }
      return loss;
    },
    async update(rate) {
      for (const name of [weightName, biasName]) {
        const [w, v, g] = [weights, velocity, gradient].map((tensors) => tensors.get(name)!.data) as [
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        for (let i = 0; i < w.length; i++) {
          v[i] = momentum * v[i]! - rate * (g[i]! + weightDecay * w[i]!);
          w[i]! += v[i]!;
        }
      }
      gradient = zero();
    },
    readWeights: async () => copyOfWeights(weights),
    readVelocity: async () => copyOfWeights(velocity),
    readGradient: async () => copyOfWeights(gradient),
    dispose: async () => undefined,
  };
}

/** The same network for validation. */
export function createLinearEngine(): Engine {
  const networks = new Map<string, { spec: ForwardSpec; preprocessing: Preprocessing; weights: Weights }>();
  return {
    capabilities: { engine: 'linear', device: 'cpu', threads: 1 },
    async load({ id, spec, preprocessing, weights }) {
      networks.set(id, { spec, preprocessing, weights: weights as Weights });
    },
    async run({ networks: ids, pixels, count }) {
      return new Map(
        ids.map((id): [string, NetworkOutput] => {
          const { spec, preprocessing, weights } = networks.get(id)!;
          const outputs = Array.from({ length: count }, (_, n) => {
            const picture = pixels.subarray((n * pixels.length) / count, ((n + 1) * pixels.length) / count);
            return linear(weights, meanColour(picture, preprocessing, [0, 0, 0]));
          });
          if (spec.head === 'classes')
            return [id, { posteriors: Float32Array.from(outputs.flatMap(softmax)) }];
          const shape = [1, count, outputsOf(spec), 1, 1] as const;
          return [id, { maps: { data: Float32Array.from(outputs.flat()), shape } }];
        }),
      );
    },
    unload: async (id) => void networks.delete(id),
    dispose: async () => networks.clear(),
  };
}

function meanColour(picture: Uint8Array, { mean, std }: Preprocessing, shift: ArrayLike<number>): number[] {
  const sums = [0, 0, 0];
  for (let i = 0; i < picture.length; i++) sums[i % 3]! += picture[i]!;
  return sums.map((sum, c) => (sum / (picture.length / 3) + shift[c]! - mean[c]!) / std[c]!);
}

function linear(weights: Weights, x: readonly number[]): number[] {
  const { data } = weights.get(weightName)!;
  return [...weights.get(biasName)!.data].map(
    (bias, i) => bias + x.reduce((sum, value, j) => sum + value * data[i * 3 + j]!, 0),
  );
}

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const exponents = scores.map((score) => Math.exp(score - largest));
  const sum = exponents.reduce((a, b) => a + b);
  return exponents.map((value) => value / sum);
}
