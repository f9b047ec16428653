import { bytesPerNumber, type NumberType, type WeightType } from './number-types.ts';
import { fromFloat32, toFloat32 } from './numbers.ts';

/** A tensor in memory: row-major float32. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** All tensors of a network in memory, by torchvision's names (see {@link tensorsOf}). */
export type Weights = ReadonlyMap<string, Tensor>;

/** A tensor that is not in memory: its numbers are read, drawn or converted whenever they are asked for. */
export interface TensorSource {
  readonly shape: readonly number[];
  readonly type: NumberType;
  /**
   * The numbers in order, the same each time: little-endian bytes, row-major, in parts of about {@link partBytes} that
   * hold whole numbers and begin where a typed array of them can. A part holds only until the next one is taken, so
   * that one buffer does for all. May throw INVALID_WEIGHTS.
   */
  parts(): Iterable<Uint8Array>;
}

/**
 * Weights by torchvision's names, in memory or not. Whoever lays them out takes one tensor at a time, so that they are
 * never in memory twice.
 */
export type WeightSources = ReadonlyMap<string, Tensor | TensorSource>;

/** Size of a part: large enough to cost nothing, small enough to keep many of. */
export const partBytes = 2 ** 20;

/** Numbers in a tensor of this shape. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Bytes of all numbers of a tensor, of the type that it has. */
export function bytesOf(tensor: Tensor | TensorSource): number {
  return countOf(tensor.shape) * bytesPerNumber[typeOf(tensor)];
}

export function typeOf(tensor: Tensor | TensorSource): NumberType {
  return 'data' in tensor ? 'F32' : tensor.type;
}

/** The numbers of a tensor in parts; of one in memory these are views of it. */
export function partsOf(tensor: Tensor | TensorSource): Iterable<Uint8Array> {
  return 'data' in tensor ? viewsOf(tensor.data) : tensor.parts();
}

/** Writes the numbers of a tensor into `to`, which is of its size. */
export function writeTensor(tensor: Tensor | TensorSource, to: Float32Array): void {
  if ('data' in tensor) {
    to.set(tensor.data);
    return;
  }
  let at = 0;
  for (const part of tensor.parts()) {
    const numbers = toFloat32(part, tensor.type);
    to.set(numbers, at);
    at += numbers.length;
  }
}

/** A copy in memory. */
export function copyOfTensor(tensor: Tensor | TensorSource): Tensor {
  const { shape } = tensor;
  const data = new Float32Array(countOf(shape));
  writeTensor(tensor, data);
  return { shape, data };
}

/** Copies in memory. */
export function copyOfWeights(weights: WeightSources): Map<string, Tensor> {
  return mapWeights(weights, copyOfTensor);
}

/** The same weights to be stored as `type`: rounded to nearest, ties to even. */
export function storedAs(weights: WeightSources, type: WeightType): ReadonlyMap<string, TensorSource> {
  const convert = (tensor: Tensor | TensorSource): TensorSource => ({
    shape: tensor.shape,
    type,
    *parts() {
      for (const part of partsOf(tensor)) yield fromFloat32(toFloat32(part, typeOf(tensor)), type);
    },
  });
  return mapWeights(weights, convert);
}

/** Weights of the same names, each tensor made from the one of before. */
export function mapWeights<T extends Tensor | TensorSource>(
  weights: WeightSources,
  make: (tensor: Tensor | TensorSource) => T,
): Map<string, T> {
  return new Map([...weights].map(([name, tensor]) => [name, make(tensor)]));
}

/** A float32 tensor whose numbers are computed one after the other: `begin` gives what computes the next one. */
export function computedTensor(
  shape: readonly number[],
  begin: () => (index: number) => number,
): TensorSource {
  return {
    shape,
    type: 'F32',
    *parts() {
      const count = countOf(shape);
      const next = begin();
      const numbers = new Float32Array(Math.min(count, partBytes / bytesPerNumber.F32));
      for (let start = 0; start < count; start += numbers.length) {
        const length = Math.min(numbers.length, count - start);
        for (let i = 0; i < length; i++) numbers[i] = next(start + i);
        yield new Uint8Array(numbers.buffer, 0, length * bytesPerNumber.F32);
      }
    },
  };
}

// --- helpers ---

function* viewsOf({ buffer, byteOffset, byteLength }: Float32Array): Generator<Uint8Array> {
  for (let start = 0; start < byteLength; start += partBytes) {
    yield new Uint8Array(buffer, byteOffset + start, Math.min(partBytes, byteLength - start));
  }
}
