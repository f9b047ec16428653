import { VerydeepError } from '../errors.ts';
import { areFinite } from '../network/numbers.ts';
import { partsOf, typeOf, type WeightSources } from '../network/weights.ts';
import type { TrainingState } from './checkpoint.ts';

/** The name of a tensor with a number that is infinite or none; `undefined` if all are finite. */
export function notFinite(...sets: readonly WeightSources[]): string | undefined {
  for (const tensors of sets) {
    for (const [name, tensor] of tensors) {
      for (const part of partsOf(tensor)) if (!areFinite(part, typeOf(tensor))) return name;
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
