import { describe, expect, it } from 'vitest';
import { createOnednnEngine } from '../../../src/engine/onednn/engine.ts';
import { createOnednnTrainingStep } from '../../../src/engine/onednn/training-step.ts';
import { describeEngine } from '../contract.ts';
import { describeTrainingStep } from '../training-contract.ts';
import { describeOnednn } from './library.ts';

// oneDNN reads the limit when it is loaded, for the whole process: this file has one of its own.
process.env.ONEDNN_MAX_CPU_ISA = 'AVX2';

describe.runIf(process.arch === 'x64')('without AVX-512', () => {
  describeOnednn('oneDNN', () => {
    it('refuses bf16', async () => {
      const refused = createOnednnEngine({ threads: 1, precision: 'bf16' });
      await expect(refused).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
    });

    describeEngine('engine in fp32', () => createOnednnEngine({ threads: 2, precision: 'fp32' }));
    describeTrainingStep('training step in fp32', createOnednnTrainingStep);
  });
});
