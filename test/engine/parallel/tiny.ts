import {
  createParallelTrainingStep,
  type ParallelTrainingStep,
} from '../../../src/engine/parallel/training-step.ts';
import type { TrainingStepOptions } from '../../../src/engine/training-step.ts';
import { type readFixture, referenceTraining } from '../reference-values.ts';

type Network = Pick<Awaited<ReturnType<typeof readFixture>>, 'spec' | 'weights'>;

export function tinyOptions({ spec, weights }: Network): TrainingStepOptions {
  return {
    spec,
    weights,
    ...referenceTraining,
    microBatch: 6,
    threads: 2,
  };
}

export function createTinyParallelStep(network: Network, workers: number): Promise<ParallelTrainingStep> {
  return createParallelTrainingStep(tinyOptions(network), { engine: 'onnx', workers });
}
