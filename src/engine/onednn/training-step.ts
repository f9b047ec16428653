import { outputsOf } from '../../network/architecture.ts';
import { checkTensors } from '../../network/check-tensors.ts';
import { guardTrainingStep } from '../guard-training-step.ts';
import type { LocalTrainingStep, TrainingStepOptions } from '../training-step.ts';
import { bytesOf, type DataType } from './library/constants.ts';
import { loadOnednn } from './library/library.ts';
import { createPreparation } from './pixels.ts';
import { dataTypeFor } from './precision.ts';
import { runSteps } from './primitives/primitives.ts';
import { buildIn, createScope, type Scope } from './primitives/scope.ts';
import { createWorkspace } from './primitives/workspace.ts';
import { createAccumulation } from './training/accumulation.ts';
import { createBackwardPass } from './training/backward-pass.ts';
import { createForwardPass } from './training/forward-pass.ts';
import { crossEntropy, euclidean } from './training/loss.ts';
import { createParameters } from './training/parameters.ts';
import { planTraining } from './training/plan.ts';
import { createUpdate } from './training/update.ts';

/**
 * Training on the CPU with oneDNN's primitives, fp32, or bf16 with float32 master weights. Calls block this process.
 * Throws DEVICE_UNAVAILABLE if the library or the precision is not there, INVALID_WEIGHTS if a tensor is missing or
 * misshapen.
 */
export async function createOnednnTrainingStep(options: TrainingStepOptions): Promise<LocalTrainingStep> {
  const onednn = await loadOnednn(options);
  const { spec, weights, velocity, precision } = options;
  const type = dataTypeFor(onednn, precision);
  checkTensors('weights', spec, weights);
  if (velocity) checkTensors('velocity', spec, velocity);
  return buildIn(createScope(onednn), (scope) => guardTrainingStep(build(scope, type, options), options));
}

// --- helpers ---

function build(scope: Scope, type: DataType, options: TrainingStepOptions): LocalTrainingStep {
  const { onednn } = scope;
  // The functions below must not hold on to `options`, whose weights are as large as a block of the arenas.
  const { spec, preprocessing, microBatch, precision, threads, trainable } = options;
  onednn.setThreads(threads);
  const outputs = outputsOf(spec);
  const planned = planTraining(scope, spec, microBatch, type, trainable);
  const parameters = createParameters(scope, planned, options, preprocessing);
  const forward = createForwardPass(scope, planned, parameters, {
    batch: microBatch,
    crop: spec.crop,
    outputs,
    type,
  });
  const answersGradient = scope.share(forward.answers.desc, new Float32Array(microBatch * outputs));
  const backward = createBackwardPass(
    scope,
    forward.stages,
    parameters,
    answersGradient,
    createWorkspace(scope),
  );
  const accumulation = createAccumulation(scope, parameters);
  const update = createUpdate(scope, parameters.arenas, options);

  const preparation = createPreparation(preprocessing, type);
  const dropout = forward.stages.flatMap((stage) =>
    stage.kind === 'weights' && stage.dropout ? [stage.dropout.array] : [],
  );
  const loss = spec.head === 'classes' ? crossEntropy : euclidean;

  /** oneDNN's threads are set for the whole process. */
  const enter = (): void => onednn.setThreads(threads);

  return {
    name: `onednn ${onednn.version} ${precision}`,
    async accumulate(batch, share) {
      enter();
      const pictures = { pixels: batch.pixels, count: microBatch, height: spec.crop, width: spec.crop };
      for (let i = 0; i < microBatch; i++) {
        const shift = batch.colourShift.subarray(3 * i, 3 * i + 3);
        preparation.prepare(pictures, forward.input.array, { from: i, to: i, mirror: false, shift });
      }
      dropout.forEach((factors, i) => {
        factors.set(batch.dropout[i]!);
      });
      runSteps(scope, forward.steps);
      const mean = loss(forward.answers.array, answersGradient.array, batch, share);
      accumulation.begin();
      runSteps(scope, backward);
      accumulation.end();
      return mean;
    },
    async update(learningRate) {
      enter();
      accumulation.sum(); // zeros where nothing was accumulated
      update(learningRate);
      accumulation.clear();
      parameters.refresh();
    },
    async readWeights() {
      enter();
      return parameters.readWeights();
    },
    async readVelocity() {
      enter();
      return parameters.read(parameters.arenas.velocity);
    },
    async readGradient() {
      enter();
      return parameters.read(accumulation.sum());
    },
    gradient: {
      length: parameters.arenas.gradient.desc.bytes / bytesOf.f32,
      read(to) {
        enter();
        accumulation.read(to);
      },
      write(from, start) {
        enter();
        accumulation.write(from, start);
      },
    },
    async dispose() {
      scope.dispose();
    },
  };
}
