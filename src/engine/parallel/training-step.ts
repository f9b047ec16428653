import { VerydeepError } from '../../errors.ts';
import { checkTensors } from '../../network/check-tensors.ts';
import {
  copyOfWeights,
  type Tensor,
  type WeightSources,
  type Weights,
  writeTensor,
} from '../../network/weights.ts';
import { type CallableProcess, startCallableProcess } from '../../processes/calls.ts';
import { programBeside } from '../../processes/programs.ts';
import type { EngineName } from '../engines.ts';
import { guardTrainingStep } from '../guard-training-step.ts';
import type { TrainingBatch, TrainingStep, TrainingStepOptions } from '../training-step.ts';
import { bytesWithGradients, bytesWithTensors, mapBatch, mapTensors } from './layout.ts';
import type { WorkerCalls } from './protocol.ts';
import { createSharedFile, type SharedFile } from './shared-memory.ts';

export interface ParallelOptions {
  readonly engine: EngineName;
  /** Processes that divide every micro-batch, and the threads, among them. */
  readonly workers: number;
}

/** A training step whose work is divided over processes. */
export interface ParallelTrainingStep extends TrainingStep {
  readonly pids: readonly number[];
  /** Weights of one worker; they are the same in all. */
  readWeights(rank?: number): Promise<Weights>;
}

type Worker = CallableProcess<WorkerCalls>;

/**
 * Data parallelism (paper, 3.3): each worker computes the gradient of its part of a micro-batch, the gradients are averaged
 * synchronously through shared memory, and all workers make the same update: that of one device, to within rounding.
 *
 * Throws INVALID_SETTINGS if the micro-batch cannot be divided, and what the engine throws when it is created. When a
 * worker dies, the call under way and all others reject with WORKER_LOST; `dispose` ends those that are left.
 */
export async function createParallelTrainingStep(
  options: TrainingStepOptions,
  { engine, workers }: ParallelOptions,
): Promise<ParallelTrainingStep> {
  const { spec, microBatch, weights, velocity, ...rest } = options;
  if (microBatch % workers !== 0) {
    throw new VerydeepError(
      'INVALID_SETTINGS',
      `workers: expected a divisor of the micro-batch of ${microBatch}, received ${workers}`,
    );
  }
  checkTensors('weights', spec, weights);
  if (velocity) checkTensors('velocity', spec, velocity);

  const layout = { spec, microBatch };
  const memory = createSharedFile();
  const hosts = Array.from({ length: workers }, (_, rank) => startWorker(rank, workers, memory));
  const all = <Call extends keyof WorkerCalls>(call: Call, argument: WorkerCalls[Call]['argument']) =>
    Promise.all(hosts.map((host) => host.call(call, argument)));
  const end = async (): Promise<void> => {
    await Promise.all(hosts.map((host) => host.end()));
  };

  try {
    memory.resize(bytesWithTensors(layout));
    write(weights, mapTensors(memory.descriptor, layout, 'weights'));
    if (velocity) write(velocity, mapTensors(memory.descriptor, layout, 'velocity'));
    const batch = mapBatch(memory.descriptor, layout);
    const created = await Promise.all(
      hosts.map((host, rank) =>
        host.call('create', {
          ...rest,
          ...layout,
          engine,
          rank,
          workers,
          hasVelocity: velocity !== undefined,
          threads: Math.max(1, Math.floor(rest.threads / workers)),
        }),
      ),
    );
    const { name, gradientLength } = created[0]!;
    if (created.some((other) => other.gradientLength !== gradientLength)) {
      const lengths = created.map((other) => other.gradientLength).join(', ');
      throw new VerydeepError(
        'ENGINE_FAILED',
        `training workers: expected gradients of one length, received ${lengths}`,
      );
    }
    memory.resize(Math.max(bytesWithTensors(layout), bytesWithGradients(layout, workers, gradientLength)));
    const tensors = mapTensors(memory.descriptor, layout, 'weights');
    memory.close();

    const read = async (which: WorkerCalls['read']['argument'], rank = 0): Promise<Map<string, Tensor>> => {
      await hosts[rank]!.call('read', which);
      return copyOfWeights(tensors);
    };
    const step: ParallelTrainingStep = {
      name: `${name}, ${workers} workers`,
      pids: hosts.map(({ pid }) => pid),
      async accumulate(given, share) {
        copyInto(batch, given);
        const losses = await all('accumulate', share);
        return losses.reduce((a, b) => a + b) / workers;
      },
      async update(learningRate) {
        await all('publish', undefined);
        await all('sum', undefined);
        await all('update', learningRate);
      },
      readWeights: (rank) => read('weights', rank),
      readVelocity: () => read('velocity'),
      async readGradient() {
        const sum = await read('gradient');
        for (let rank = 1; rank < workers; rank++) {
          for (const [key, { data }] of await read('gradient', rank)) add(sum.get(key)!.data, data);
        }
        return sum;
      },
      dispose: end,
    };
    return guardTrainingStep(step, layout);
  } catch (error) {
    await end();
    memory.close();
    throw error;
  }
}

// --- helpers ---

function startWorker(rank: number, workers: number, { descriptor }: SharedFile): Worker {
  return startCallableProcess<WorkerCalls>({
    program: programBeside(import.meta.url, './worker'),
    name: `training worker ${rank + 1} of ${workers}`,
    lostError: (reason) => new VerydeepError('WORKER_LOST', reason),
    failedCode: 'ENGINE_FAILED',
    files: [descriptor],
  });
}

function write(weights: WeightSources, tensors: Weights): void {
  for (const [name, { data }] of tensors) writeTensor(weights.get(name)!, data);
}

function add(sum: Float32Array, values: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
}

function copyInto(target: Required<TrainingBatch>, batch: TrainingBatch): void {
  target.pixels.set(batch.pixels);
  target.colourShift.set(batch.colourShift);
  target.labels.set(batch.labels);
  target.dropout[0].set(batch.dropout[0]);
  target.dropout[1].set(batch.dropout[1]);
  if (batch.boxes) target.boxes.set(batch.boxes);
}
