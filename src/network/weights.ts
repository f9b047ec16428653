/** A tensor in memory: row-major float32. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** All tensors of a network by torchvision's names (see {@link tensorsOf}). */
export type Weights = ReadonlyMap<string, Tensor>;

/** A tensor that is not in memory: `write` draws its numbers, the same each time, into `to`, which is of its size. */
export interface DrawnTensor {
  readonly shape: readonly number[];
  write(to: Float32Array): void;
}

/** What a training starts from. Fresh weights are drawn where the step keeps them: they are never in memory twice. */
export type InitialWeights = ReadonlyMap<string, Tensor | DrawnTensor>;

/** Writes the numbers of a tensor into `to`. */
export function writeTensor(tensor: Tensor | DrawnTensor, to: Float32Array): void {
  if ('data' in tensor) to.set(tensor.data);
  else tensor.write(to);
}

/** Copies in memory. */
export function copyOfWeights(weights: InitialWeights): Map<string, Tensor> {
  return new Map(
    [...weights].map(([name, tensor]) => {
      const { shape } = tensor;
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      writeTensor(tensor, data);
      return [name, { shape, data }];
    }),
  );
}
