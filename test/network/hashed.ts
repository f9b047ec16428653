import type { ForwardSpec } from '../../src/network/architecture.ts';
import { fanInOf, weightLayersOf, weightShapeOf } from '../../src/network/layers.ts';
import { computedTensor, copyOfWeights, type TensorSource, type Weights } from '../../src/network/weights.ts';

/** The number at `index` of a stream, in [-1, 1): a 32-bit hash (murmur3's finaliser) of a counter. */
export function hashedNumber(index: number, stream: number): number {
  let x = (Math.imul(index, 0x9e3779b1) + Math.imul(stream, 0x9e3779b9)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  x = (x ^ (x >>> 16)) >>> 0;
  return x / 2 ** 31 - 1;
}

/**
 * The first `count` numbers of a stream in float32: weights that anybody can make again in any language, for benches
 * and references of networks too large to store.
 */
export function hashed(count: number, stream: number): Float32Array {
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = hashedNumber(i, stream);
  return numbers;
}

/** Hashed weights of the scale that keeps activations near one on mean-subtracted pixels in 0..255. */
export function hashedWeights(spec: ForwardSpec, stream: number): Weights {
  return copyOfWeights(hashedSources(spec, stream));
}

/** The same, computed whenever they are asked for. */
export function hashedSources(spec: ForwardSpec, stream: number): ReadonlyMap<string, TensorSource> {
  const sources = new Map<string, TensorSource>();
  weightLayersOf(spec).forEach((layer, j) => {
    const fanIn = fanInOf(layer);
    const scale = Math.fround(Math.sqrt(6 / fanIn));
    const divisor = j === 0 ? 128 : 1;
    const weight = (i: number): number =>
      Math.fround(Math.fround(hashedNumber(i, stream + 2 * j)) * scale) / divisor;
    const bias = (i: number): number => Math.fround(hashedNumber(i, stream + 2 * j + 1)) * Math.fround(0.1);
    sources.set(
      `${layer.name}.weight`,
      computedTensor(weightShapeOf(layer), () => weight),
    );
    sources.set(
      `${layer.name}.bias`,
      computedTensor([layer.outputs], () => bias),
    );
  });
  return sources;
}
