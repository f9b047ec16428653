/** A tensor in memory: row-major float32. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** All tensors of a network by torchvision's names (see {@link tensorsOf}). */
export type Weights = ReadonlyMap<string, Tensor>;
