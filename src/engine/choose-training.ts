import { isVerydeepError } from '../errors.ts';
import { createEngine } from './create.ts';
import { createTrainingStep, type TrainingEngineName } from './create-training-step.ts';
import type { Engine } from './engine.ts';
import type { CreateTrainingStep } from './training-step.ts';

/** What a training runs on: its step, in this process or divided over workers, and the engine for its validation. */
export interface TrainingEngine {
  readonly createStep: CreateTrainingStep;
  readonly engine: Engine;
}

export interface TrainingPlacement {
  readonly threads: number;
  readonly precision: 'fp32' | 'bf16';
  /** Processes that divide each batch; 1 trains in this process. */
  readonly workers: number;
}

/** `auto` takes oneDNN where its library is found, else onnxruntime, and says so to `onFallback`. */
export async function chooseTrainingEngine(
  name: TrainingEngineName | 'auto',
  { threads, precision, workers }: TrainingPlacement,
  onFallback: (reason: string) => void,
): Promise<TrainingEngine> {
  const placement = { device: 'cpu', threads, sharedCores: true } as const;
  if (name !== 'onnx') {
    try {
      const engine = await createEngine({ engine: 'onednn', ...placement, precision });
      return { createStep: stepCreator('onednn', workers), engine };
    } catch (error) {
      const unavailable = isVerydeepError(error, 'DEVICE_UNAVAILABLE');
      if (name === 'onednn' || !unavailable) throw error;
      onFallback(`oneDNN is not here, training runs on onnxruntime: ${error.message}`);
    }
  }
  return {
    createStep: stepCreator('onnx', workers),
    engine: await createEngine({ engine: 'onnx', ...placement }),
  };
}

function stepCreator(engine: TrainingEngineName, workers: number): CreateTrainingStep {
  if (workers === 1) return (options) => createTrainingStep(engine, options);
  return async (options) => {
    const { createParallelTrainingStep } = await import('./parallel/training-step.ts');
    return createParallelTrainingStep(options, { engine, workers });
  };
}
