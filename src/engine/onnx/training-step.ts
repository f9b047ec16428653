import { messageOf, VerydeepError } from '../../errors.ts';
import { checkTensors } from '../../network/check-tensors.ts';
import { tensorsOf } from '../../network/layers.ts';
import { copyOfWeights, type Tensor, type Weights } from '../../network/weights.ts';
import { guardTrainingStep } from '../guard-training-step.ts';
import type { FlatGradient, LocalTrainingStep, TrainingStepOptions } from '../training-step.ts';
import { gradientInput, gradientOutput } from './differentiable.ts';
import { createInPlaceRunner } from './in-place.ts';
import { createRuntime } from './runtime.ts';
import { updateInPlace } from './sgd.ts';
import { feedsOf } from './training-feeds.ts';
import { trainingGraph } from './training-graph.ts';

/**
 * The training step on onnxruntime's CPU provider: forward and backward pass in one graph, the update in plain
 * TypeScript on the same buffers, in fp32. Throws DEVICE_UNAVAILABLE, INVALID_WEIGHTS.
 */
export async function createOnnxTrainingStep(options: TrainingStepOptions): Promise<LocalTrainingStep> {
  // The functions below must not hold on to `options`, with its weights.
  const { spec, microBatch, trainable, momentum, weightDecay } = options;
  checkTensors('weights', spec, options.weights);
  if (options.velocity) checkTensors('velocity', spec, options.velocity);
  const weights = copyOfWeights(options.weights);
  const velocity = options.velocity ? copyOfWeights(options.velocity) : zerosOf(weights);
  const gradient = zerosOf(weights);
  const trained = tensorsOf(spec)
    .map(({ name }) => name)
    .filter((name) => trainable === 'all' || name.startsWith('classifier.'));

  // Whatever loads and augments the pictures computes on the same cores.
  const runtime = await createRuntime({
    device: options.device,
    threads: options.threads,
    sharedCores: true,
  });
  const { ort } = runtime;
  const runner = await createInPlaceRunner(runtime);
  const session = await runtime.createSession(
    trainingGraph({ ...options, sequenceFirst: runner.sequenceFirst }),
  );

  // Views of the buffers above, made once; the gradients are inputs and, in their own place, outputs.
  const loss = new ort.Tensor('float32', new Float32Array(1), [1]);
  const tensors: Record<string, InstanceType<typeof ort.Tensor>> = {};
  const targets: typeof tensors = { loss };
  for (const [name, { data, shape }] of weights) tensors[name] = new ort.Tensor('float32', data, shape);
  for (const name of trained) {
    const { data, shape } = gradient.get(name)!;
    const sum = new ort.Tensor('float32', data, shape);
    tensors[gradientInput(name)] = sum;
    targets[gradientOutput(name)] = sum;
  }

  const step: LocalTrainingStep = {
    name: `onnxruntime ${ort.env.versions.node} fp32`,
    async accumulate(batch, share) {
      const feeds = { ...feedsOf(ort, { spec, microBatch }, batch, share), ...tensors };
      try {
        await runner.run(session, feeds, targets);
      } catch (cause) {
        throw new VerydeepError('ENGINE_FAILED', `training step: ${messageOf(cause)}`, { cause });
      }
      return loss.data[0] as number;
    },
    async update(learningRate) {
      for (const name of trained) {
        const [w, v, g] = [weights, velocity, gradient].map((state) => state.get(name)!.data);
        updateInPlace(w!, v!, g!, { learningRate, momentum, weightDecay });
      }
    },
    readWeights: async () => weights,
    readVelocity: async () => velocity,
    readGradient: async () => gradient,
    gradient: flatView(trained.map((name) => gradient.get(name)!.data)),
    dispose: () => session.release(),
  };
  return guardTrainingStep(step, options);
}

// --- helpers ---

function zerosOf(tensors: Weights): Map<string, Tensor> {
  return new Map(
    [...tensors].map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]),
  );
}

/** Several arrays as one row of numbers. */
function flatView(blocks: readonly Float32Array[]): FlatGradient {
  const length = blocks.reduce((sum, block) => sum + block.length, 0);
  return {
    length,
    read(to) {
      let start = 0;
      for (const block of blocks) {
        to.set(block, start);
        start += block.length;
      }
    },
    write(from, start) {
      let first = 0; // of this block in the row
      for (const block of blocks) {
        const [begin, end] = [Math.max(start, first), Math.min(start + from.length, first + block.length)];
        if (begin < end) block.set(from.subarray(begin - start, end - start), begin - first);
        first += block.length;
      }
    },
  };
}
