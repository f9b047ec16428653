import { describe } from 'vitest';
import { findOnednnLibrary } from '../../src/engine/onednn/find-library.ts';
import { createOnednnTrainingStep } from '../../src/engine/onednn/training-step.ts';
import { describeTrainingStep } from './training-contract.ts';

describe.skipIf(findOnednnLibrary() === undefined)('oneDNN (skipped without its library: npm run setup:onednn)', () => {
  describeTrainingStep('training step, fp32', createOnednnTrainingStep);
});
