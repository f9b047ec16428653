import { bytesOf } from '../library/constants.ts';
import { add, blend } from '../primitives/elementwise.ts';
import { runSteps, type Step } from '../primitives/primitives.ts';
import type { Memory, Scope, SharedMemory } from '../primitives/scope.ts';

/** Flat blocks of equal length: the trainable weights, their gradient and velocity. */
export interface UpdateArenas {
  readonly weights: Memory;
  readonly gradient: Memory;
  readonly velocity: Memory;
}

/** So much of each block is updated at once: its weights and velocity are still in the cache for the second step. */
const partBytes = 2 ** 22;

/**
 * Caffe's rule (paper, 3.1; docs/paper.md): velocity = momentum x velocity - rate x (gradient + decay x weight); weight += velocity.
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
  const steps: Step[] = [];
  for (let start = 0; start < weights.desc.bytes; start += partBytes) {
    const bytes = Math.min(partBytes, weights.desc.bytes - start);
    const desc = scope.desc([bytes / bytesOf.f32], 'f32', 'rowMajor');
    const [w, g, v] = [weights, gradient, velocity].map(({ address }) =>
      scope.memory(desc, address + BigInt(start)),
    ) as [Memory, Memory, Memory];
    steps.push(
      blend(scope, 'velocity', v, momentum, [g, w], [ofGradient, ofWeights]),
      add(scope, 'weight', w, v),
    );
  }
  return (rate) => {
    ofGradient.array[0] = -rate;
    ofWeights.array[0] = -rate * weightDecay;
    runSteps(scope, steps);
  };
}
