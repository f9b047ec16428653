import type { TrainingStep } from '../../src/engine/training-step.ts';
import { copyOfWeights, type WeightSources, type Weights } from '../../src/network/weights.ts';

type Reads = 'readWeights' | 'readVelocity' | 'readGradient';

/** A step whose tensors are read at once, into copies that stay as they are. */
export type CopyingStep<Step extends TrainingStep> = Omit<Step, Reads> & {
  [Read in Reads]: (...values: Parameters<Step[Read]>) => Promise<Weights>;
};

export function copying<Step extends TrainingStep>(step: Step): CopyingStep<Step> {
  const copied =
    <Arguments extends unknown[]>(read: (...values: Arguments) => Promise<WeightSources>) =>
    async (...values: Arguments): Promise<Weights> =>
      copyOfWeights(await read(...values));
  return {
    ...step,
    readWeights: copied(step.readWeights),
    readVelocity: copied(step.readVelocity),
    readGradient: copied(step.readGradient),
  };
}
