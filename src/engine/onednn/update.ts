import { addScaled } from './elementwise.ts';
import { runSteps, type Step } from './primitives.ts';
import { createScope, type Memory, type Scope } from './scope.ts';

/** Flat blocks of equal length: the trainable weights, their gradient and velocity. */
export interface UpdateArenas {
  readonly weights: Memory;
  readonly gradient: Memory;
  readonly velocity: Memory;
}

/** Caffe's rule (method.md, section 2): velocity = momentum x velocity - rate x (gradient + decay x weight); weight += velocity. */
export interface Update {
  run(rate: number): void;
  dispose(): void;
}

export function createUpdate(
  scope: Scope,
  { weights, gradient, velocity }: UpdateArenas,
  { momentum, weightDecay }: { readonly momentum: number; readonly weightDecay: number },
): Update {
  const move = addScaled(scope, 'weight', weights, [1, 1], [velocity]);
  // The factors of a sum are part of its primitive, so each new rate makes another one.
  let current: { rate: number; accelerate: Step; scope: Scope } | undefined;
  return {
    run(rate) {
      if (current?.rate !== rate) {
        current?.scope.dispose();
        const own = createScope(scope.onednn);
        const factors = [momentum, -rate, -rate * weightDecay];
        current = {
          rate,
          accelerate: addScaled(own, 'velocity', velocity, factors, [gradient, weights]),
          scope: own,
        };
      }
      runSteps(scope, [current.accelerate, move]);
    },
    dispose: () => current?.scope.dispose(),
  };
}
