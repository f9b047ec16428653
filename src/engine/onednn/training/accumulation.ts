import { bytesOf } from '../library/constants.ts';
import { add } from '../primitives/elementwise.ts';
import { runSteps, type Step } from '../primitives/primitives.ts';
import { fillWithZeros, type Memory, type Scope } from '../primitives/scope.ts';
import type { Parameters } from './parameters.ts';

/** The gradient of several micro-batches between two updates. */
export interface Accumulation {
  /** Before a backward pass: it writes the gradient of one micro-batch. */
  begin(): void;
  /** After it: the gradient is the sum of all since `clear`. */
  end(): void;
  /** The sum; zeros before the first. */
  sum(): Memory;
  /** The sum as one row of numbers. */
  read(to: Float32Array): void;
  /** Puts `from` in the place of the sum's numbers from `start` on. */
  write(from: Float32Array, start: number): void;
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
    return { block, add: add(scope, 'sum of gradients', gradient, block) };
  };
  /** Anything longer would reach beyond native memory. */
  const checkFits = ({ length }: Float32Array, start: number): void => {
    const room = gradient.desc.bytes / bytesOf.f32 - start;
    if (length > room) throw new RangeError(`gradient: expected at most ${room} numbers, received ${length}`);
  };
  const writeTo = (block: Memory): void => {
    if (block !== target) parameters.writeGradientsTo(block);
    target = block;
  };

  const sum = (): Memory => {
    if (count === 0) fillWithZeros(scope, gradient);
    return gradient;
  };
  const { copy, addressOf } = scope.onednn;

  return {
    begin() {
      if (count > 0) beside ??= createBeside();
      writeTo(count > 0 ? beside!.block : gradient);
    },
    end() {
      if (count > 0) runSteps(scope, [beside!.add]);
      count += 1;
    },
    sum,
    read(to) {
      checkFits(to, 0);
      copy(addressOf(to), sum().address, BigInt(to.byteLength));
    },
    write(from, start) {
      checkFits(from, start);
      const { address } = sum();
      count = Math.max(1, count); // what is written is no longer zeros
      copy(address + BigInt(start * bytesOf.f32), addressOf(from), BigInt(from.byteLength));
    },
    clear() {
      count = 0;
    },
  };
}
