/** Prints the errors of one forward pass and one gradient in fp32, and what comes of asking for bf16, as JSON. */

import { createOnednnEngine } from '../../../src/engine/onednn/engine.ts';
import { createOnednnTrainingStep } from '../../../src/engine/onednn/training-step.ts';
import { messageOf, VerydeepError } from '../../../src/errors.ts';
import {
  forwardCases,
  largestDifference,
  readFixture,
  referencePreprocessing,
  trainingBatch,
  worstTensor,
} from '../reference-values.ts';

const forward = await readFixture('d-tiny.forward');
const engine = await createOnednnEngine({ threads: 1, precision: 'fp32' });
const preprocessing = referencePreprocessing;
await engine.load({ id: 'd', spec: forward.spec, weights: forward.weights, preprocessing });
const { scoreMap, ...picture } = forwardCases(forward.file).at(-1)!;
const outputs = await engine.run({ networks: ['d'], ...picture, count: 1, flip: false, maps: true });

const training = await readFixture('d-tiny.training');
const step = await createOnednnTrainingStep({
  spec: training.spec,
  weights: training.weights,
  preprocessing,
  microBatch: 6,
  momentum: 0.9,
  weightDecay: 5e-4,
  trainable: 'all',
  precision: 'fp32',
  threads: 1,
});
await step.accumulate(trainingBatch(training.file, '0.', training.spec.fc), 1);
const worst = worstTensor(await step.readGradient(), (name) => training.file.numbers(`0.gradient.${name}`));

const bf16 = await createOnednnEngine({ threads: 1, precision: 'bf16' }).then(
  () => 'created',
  (error: unknown) => (error instanceof VerydeepError ? error.code : messageOf(error)),
);
process.stdout.write(
  JSON.stringify({
    scoreMap: largestDifference(outputs.get('d')!.maps!.data, scoreMap),
    gradient: worst.error,
    bf16,
  }),
);
