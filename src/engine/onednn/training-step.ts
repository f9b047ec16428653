import { outputsOf } from '../../network/architecture.ts';
import { checkTensors } from '../../network/check-tensors.ts';
import type { LocalTrainingStep, TrainingBatch, TrainingStepOptions } from '../training-step.ts';
import { bytesOf, type DataType } from './library/constants.ts';
import { type LibraryOptions, loadOnednn } from './library/library.ts';
import { createPreparation } from './pixels.ts';
import { dataTypeFor } from './precision.ts';
import { runSteps } from './primitives/primitives.ts';
import { createScope, type Scope } from './primitives/scope.ts';
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
 * Throws DEVICE_UNAVAILABLE where the library or the precision is not there, INVALID_WEIGHTS where a tensor is missing
 * or misshapen.
 */
export async function createOnednnTrainingStep(
  options: TrainingStepOptions,
  library: LibraryOptions = {},
): Promise<LocalTrainingStep> {
  const onednn = await loadOnednn(library);
  const { spec, weights, velocity, precision } = options;
  const type = dataTypeFor(onednn, precision);
  checkTensors('weights', spec, weights);
  if (velocity) checkTensors('velocity', spec, velocity);
  const scope = createScope(onednn);
  try {
    return build(scope, type, options);
  } catch (error) {
    scope.dispose();
    throw error;
  }
}

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

  let disposed = false;
  const enter = (): void => {
    if (disposed) throw new TypeError('expected no call of a training step after its disposal');
    onednn.setThreads(threads);
  };

  return {
    name: `onednn ${onednn.version} ${precision}`,
    async accumulate(batch, share) {
      enter();
      checkBatch(batch, { spec, microBatch });
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
    dispose() {
      if (disposed) return;
      disposed = true;
      scope.dispose();
    },
  };
}

// --- helpers ---

/** A wrong size would write past the end of native memory. */
function checkBatch(
  batch: TrainingBatch,
  { spec, microBatch }: Pick<TrainingStepOptions, 'spec' | 'microBatch'>,
): void {
  const expect = (name: string, received: number | undefined, expected: number): void => {
    if (received !== expected) {
      throw new RangeError(`${name}: expected ${expected} numbers, received ${received ?? 'none'}`);
    }
  };
  expect('pixels', batch.pixels.length, microBatch * spec.crop ** 2 * 3);
  expect('colourShift', batch.colourShift.length, microBatch * 3);
  expect('labels', batch.labels.length, microBatch);
  for (const mask of batch.dropout) expect('dropout', mask.length, microBatch * spec.fc);
  if (spec.head !== 'classes') expect('boxes', batch.boxes?.length, microBatch * 4);
  const wrong = batch.labels.find((label) => !(label >= 0 && label < spec.classes));
  if (wrong !== undefined) {
    throw new RangeError(`labels: expected classes from 0 to ${spec.classes - 1}, received ${wrong}`);
  }
}
