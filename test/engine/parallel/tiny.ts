import {
  createParallelTrainingStep,
  type ParallelTrainingStep,
} from '../../../src/engine/parallel/training-step.ts';
import type { TrainingStepOptions } from '../../../src/engine/training-step.ts';
import { type readFixture, referencePreprocessing } from '../reference-values.ts';

type Network = Pick<Awaited<ReturnType<typeof readFixture>>, 'spec' | 'weights'>;

export function tinyOptions({ spec, weights }: Network): TrainingStepOptions {
  return {
    spec,
    weights,
    preprocessing: referencePreprocessing,
    microBatch: 6,
    momentum: 0.9,
    weightDecay: 5e-4,
    trainable: 'all',
    device: 'cpu',
    precision: 'fp32',
    threads: 2,
  };
}

export function createTinyParallelStep(network: Network, workers: number): Promise<ParallelTrainingStep> {
  return createParallelTrainingStep(tinyOptions(network), { engine: 'onnx', workers });
}
