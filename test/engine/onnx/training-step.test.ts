import { createOnnxTrainingStep } from '../../../src/engine/onnx/training-step.ts';
import { describeTrainingStep } from '../training-contract.ts';

describeTrainingStep('the onnx training step', createOnnxTrainingStep);
