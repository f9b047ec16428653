import type { NetworkSpec } from '../network/architecture.ts';

/** A loss that is nearer to guessing than this share of it has learned nothing. */
const nearness = 0.005;

/** Whether a loss is that of guessing among the classes, or worse: deep networks may stall there (paper, 3.1). */
export function isChance({ head, classes }: NetworkSpec, loss: number): boolean {
  return head === 'classes' && loss >= Math.log(classes) * (1 - nearness);
}
