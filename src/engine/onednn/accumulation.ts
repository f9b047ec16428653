import { addScaled } from './elementwise.ts';
import type { Parameters } from './parameters.ts';
import { runSteps, type Step } from './primitives.ts';
import { fillWithZeros, type Memory, type Scope } from './scope.ts';

/** The gradient of several micro-batches between two updates. */
export interface Accumulation {
  /** Before a backward pass: it writes the gradient of one micro-batch. */
  begin(): void;
  /** After it: the gradient is the sum of all since `clear`. */
  end(): void;
  /** The sum; zeros before the first. */
  sum(): Memory;
  clear(): void;
}

/**
 * The first micro-batch is written in the gradient's place, so that a batch of one costs nothing more. Later ones are
 * written beside it and added; the second block is made when it is needed first.
 */
export function createAccumulation(scope: Scope, parameters: Parameters): Accumulation {
  const { gradient } = parameters.arenas;
  let count = 0;
  let beside: { readonly block: Memory; readonly add: Step } | undefined;
  let target = gradient;

  const createBeside = (): { block: Memory; add: Step } => {
    const block = scope.memory(gradient.desc);
    fillWithZeros(scope, block); // what lies between the tensors is added as well
    return { block, add: addScaled(scope, 'sum of gradients', gradient, [1, 1], [block]) };
  };
  const writeTo = (block: Memory): void => {
    if (block !== target) parameters.writeGradientsTo(block);
    target = block;
  };

  return {
    begin() {
      if (count > 0) beside ??= createBeside();
      writeTo(count > 0 ? beside!.block : gradient);
    },
    end() {
      if (count > 0) runSteps(scope, [beside!.add]);
      count += 1;
    },
    sum() {
      if (count === 0) fillWithZeros(scope, gradient);
      return gradient;
    },
    clear() {
      count = 0;
    },
  };
}
