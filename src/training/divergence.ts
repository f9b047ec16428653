import { VerydeepError } from '../errors.ts';
import type { Weights } from '../network/weights.ts';
import type { TrainingState } from './checkpoint.ts';

/** The name of a tensor with a number that is infinite or none; `undefined` where all are finite. */
export function notFinite(...parts: readonly Weights[]): string | undefined {
  for (const tensors of parts) {
    for (const [name, { data }] of tensors) {
      let sum = 0; // x * 0 is 0, or NaN, which stays
      for (let i = 0; i < data.length; i++) sum += data[i]! * 0;
      if (sum !== 0) return name;
    }
  }
  return undefined;
}

export function diverged(
  what: string,
  { epoch, step }: Pick<TrainingState, 'epoch' | 'step'>,
  rate: number,
): VerydeepError {
  return new VerydeepError(
    'TRAINING_DIVERGED',
    `${what} in epoch ${epoch} after step ${step} at rate ${rate}; the last good checkpoint is kept: ` +
      'start again with a lower rate or another initialisation',
  );
}
