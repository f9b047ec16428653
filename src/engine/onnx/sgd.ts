export interface SgdOptions {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

/**
 * Caffe's update in place (paper, 3.1; docs/paper.md), in one pass over memory:
 * velocity = momentum x velocity - rate x (gradient + decay x weight); weight += velocity; gradient = 0.
 */
export function updateInPlace(
  weight: Float32Array,
  velocity: Float32Array,
  gradient: Float32Array,
  { learningRate, momentum, weightDecay }: SgdOptions,
): void {
  for (let i = 0; i < weight.length; i++) {
    const w = weight[i]!;
    const v = momentum * velocity[i]! - learningRate * (gradient[i]! + weightDecay * w);
    velocity[i] = v;
    weight[i] = w + v;
    gradient[i] = 0;
  }
}
