import { add, blend } from './elementwise.ts';
import { runSteps } from './primitives.ts';
import type { Memory, Scope, SharedMemory } from './scope.ts';

/** Flat blocks of equal length: the trainable weights, their gradient and velocity. */
export interface UpdateArenas {
  readonly weights: Memory;
  readonly gradient: Memory;
  readonly velocity: Memory;
}

/**
 * Caffe's rule (method.md, section 2): velocity = momentum x velocity - rate x (gradient + decay x weight); weight += velocity.
 * By `binary`, whose code is made at run time: `sum` takes twice as long.
 */
export function createUpdate(
  scope: Scope,
  { weights, gradient, velocity }: UpdateArenas,
  { momentum, weightDecay }: { readonly momentum: number; readonly weightDecay: number },
): (rate: number) => void {
  const one = scope.desc([1], 'f32', 'rowMajor');
  const factor = (): SharedMemory => scope.share(one, new Float32Array(1));
  const [ofGradient, ofWeights] = [factor(), factor()];
  const terms = [gradient, weights] as const;
  const steps = [
    blend(scope, 'velocity', velocity, momentum, terms, [ofGradient, ofWeights]),
    add(scope, 'weight', weights, velocity),
  ];
  return (rate) => {
    ofGradient.array[0] = -rate;
    ofWeights.array[0] = -rate * weightDecay;
    runSteps(scope, steps);
  };
}
