import type { LocalTrainingStep, TrainingStepOptions } from './training-step.ts';

/** Engines that train. */
export type TrainingEngineName = 'onednn' | 'onnx';

/**
 * Creates a training step in this process. Its runtime is loaded only now. Throws DEVICE_UNAVAILABLE where it is not
 * there, INVALID_WEIGHTS, and INVALID_SETTINGS where it does not know the precision.
 */
export async function createTrainingStep(
  engine: TrainingEngineName,
  options: TrainingStepOptions,
): Promise<LocalTrainingStep> {
  switch (engine) {
    case 'onednn': {
      const { createOnednnTrainingStep } = await import('./onednn/training-step.ts');
      return createOnednnTrainingStep(options);
    }
    case 'onnx': {
      const { createOnnxTrainingStep } = await import('./onnx/training-step.ts');
      return createOnnxTrainingStep(options);
    }
  }
}
