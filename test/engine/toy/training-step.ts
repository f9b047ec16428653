import { createOnnxTrainingStep } from '../../../src/engine/onnx/training-step.ts';
import type { LocalTrainingStep, TrainingStepOptions } from '../../../src/engine/training-step.ts';

/** The toy's training step: onnxruntime computes it on the CPU, whatever the device is called. */
export async function createToyTrainingStep(options: TrainingStepOptions): Promise<LocalTrainingStep> {
  const step = await createOnnxTrainingStep({ ...options, device: 'cpu', precision: 'fp32' });
  return { ...step, name: `toy on ${options.device}` };
}
