import { describe, expect, it } from 'vitest';
import type { NetworkSpec } from '../../src/network/architecture.ts';
import {
  copyFromShallower,
  copyMatching,
  type Initialiser,
  initialWeights,
} from '../../src/network/initialisers.ts';
import { tensorsOf } from '../../src/network/layers.ts';
import { createRandom } from '../../src/network/random.ts';
import { copyOfWeights, countOf, type Weights, writeTensor } from '../../src/network/weights.ts';
import { hashed, hashedWeights } from './hashed.ts';

const spec: NetworkSpec = { architecture: 'D', width: 1 / 8, fc: 64, classes: 10, crop: 64, head: 'classes' };

/** Fresh weights in memory. */
const drawn = (of: NetworkSpec, initialiser: Initialiser, seed: number): Weights =>
  copyOfWeights(initialWeights(of, initialiser, createRandom(seed)));

const deviationOf = (data: Float32Array): number =>
  Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);

describe('initial weights', () => {
  it.each([
    ['gaussian', 0.01],
    ['he', Math.sqrt(2 / (64 * 9))],
    ['glorot', Math.sqrt(2 / (64 * 9 + 64 * 9))],
  ] as const)('of %s have the deviation %f in a convolution of 64 to 64 channels', (name, deviation) => {
    const weights = drawn(spec, name, 1);
    expect(deviationOf(weights.get('features.21.weight')!.data) / deviation).toBeCloseTo(1, 1);
    expect(weights.get('features.21.bias')!.data.every((x) => x === 0)).toBe(true);
  });

  it('have all tensors of the network and depend on the seed alone', () => {
    const weights = drawn(spec, 'he', 7);
    expect([...weights].map(([name, { shape }]) => ({ name, shape }))).toEqual(tensorsOf(spec));
    expect(drawn(spec, 'he', 7)).toEqual(weights);
    expect(drawn(spec, 'he', 8)).not.toEqual(weights);
  });

  it('are one row of random numbers, in whatever order the tensors are drawn', () => {
    const random = createRandom(3);
    const row = new Map(
      tensorsOf(spec).map(({ name, shape }) => {
        const count = countOf(shape);
        return [
          name,
          Float32Array.from({ length: count }, () => (shape.length === 1 ? 0 : 0.01 * random.normal())),
        ];
      }),
    );
    const weights = initialWeights(spec, 'gaussian', createRandom(3));
    for (const [name, tensor] of [...weights].reverse()) {
      const numbers = new Float32Array(row.get(name)!.length).fill(Number.NaN);
      writeTensor(tensor, numbers);
      expect(numbers, name).toEqual(row.get(name));
    }
  });

  it('copy the first four convolutions and the fully connected layers of a shallower net (paper, 3.1)', () => {
    const shallow: NetworkSpec = { ...spec, architecture: 'A' };
    const trained = drawn(shallow, 'he', 1);
    const fresh = drawn(spec, 'gaussian', 2);
    const weights = copyFromShallower(fresh, spec, trained, shallow);
    // A's four are conv1_1, conv2_1, conv3_1 and conv3_2; in D they are the layers of those names.
    const pairs = {
      'features.0': 'features.0',
      'features.5': 'features.3',
      'features.10': 'features.6',
      'features.12': 'features.8',
    };
    for (const [deep, source] of Object.entries(pairs)) {
      expect(weights.get(`${deep}.weight`)).toEqual(trained.get(`${source}.weight`));
      expect(weights.get(`${deep}.bias`)).toEqual(trained.get(`${source}.bias`));
    }
    for (const name of ['classifier.0.weight', 'classifier.3.bias', 'classifier.6.weight']) {
      expect(weights.get(name)).toEqual(trained.get(name));
    }
    expect(weights.get('features.2.weight')).toEqual(fresh.get('features.2.weight'));
    expect(weights.get('features.14.weight')).toEqual(fresh.get('features.14.weight'));
    expect(weights.get('features.28.weight')).toEqual(fresh.get('features.28.weight'));
  });

  it('copy all but the last layer of a classification net into a localisation net (appendix A)', () => {
    const boxes: NetworkSpec = { ...spec, head: 'scr' };
    const trained = drawn(spec, 'he', 1);
    const fresh = drawn(boxes, 'gaussian', 2);
    const weights = copyMatching(fresh, trained);
    for (const [name, tensor] of weights) {
      expect(tensor).toEqual((name.startsWith('classifier.6') ? fresh : trained).get(name));
    }
  });
});

describe('hashed weights', () => {
  it('are the numbers of the published hash', () => {
    // murmur3's finaliser by hand: i = 0, stream = 0 stays 0, so the first number is 0 / 2^31 - 1.
    expect(hashed(1, 0)[0]).toBe(-1);
    const numbers = hashed(10_000, 3);
    expect(numbers.every((x) => x >= -1 && x <= 1)).toBe(true);
    expect(deviationOf(numbers)).toBeCloseTo(Math.sqrt(1 / 3), 2);
  });

  it('have all tensors of the network', () => {
    expect([...hashedWeights(spec, 1)].map(([name, { shape }]) => ({ name, shape }))).toEqual(
      tensorsOf(spec),
    );
  });
});

describe('the random generator', () => {
  it('goes on from a saved state', () => {
    const random = createRandom(5);
    random.normal();
    const again = createRandom(random.state());
    expect([again.next(), again.integer(10), again.normal()]).toEqual([
      random.next(),
      random.integer(10),
      random.normal(),
    ]);
  });

  it('is uniform, and normal', () => {
    const random = createRandom(3);
    const uniform = Float32Array.from({ length: 20_000 }, () => random.next());
    expect(uniform.reduce((a, b) => a + b, 0) / uniform.length).toBeCloseTo(0.5, 2);
    expect(deviationOf(Float32Array.from({ length: 20_000 }, () => random.normal()))).toBeCloseTo(1, 1);
  });
});
