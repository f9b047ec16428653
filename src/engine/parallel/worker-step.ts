import { writeTensor } from '../../network/weights.ts';
import { type EngineName, engines } from '../engines.ts';
import type { FlatGradient, TrainingStepOptions } from '../training-step.ts';
import { mapBatch, mapGradients, mapTensors, partOf } from './layout.ts';
import { sliceOf, sumSlice } from './reduce.ts';

export interface WorkerStepOptions extends Omit<TrainingStepOptions, 'weights' | 'velocity'> {
  readonly engine: EngineName;
  readonly rank: number;
  readonly workers: number;
  /** Whether velocities lie behind the weights. */
  readonly hasVelocity: boolean;
}

/** The network in one worker: every worker holds the same, and computes the gradient of its part of each batch. */
export interface WorkerStep {
  readonly name: string;
  readonly gradientLength: number;
  /** Of this worker's part of the shared micro-batch; returns its mean loss. */
  accumulate(share: number): Promise<number>;
  /** Of an update: first all publish their gradients, then each sums its slice, then all take the sum and update. */
  publish(): void;
  sum(): void;
  update(learningRate: number): Promise<void>;
  /** Copies tensors to where the others see them. */
  read(which: 'weights' | 'velocity' | 'gradient'): Promise<void>;
}

/** `descriptor` is the shared memory; options are those of the whole training, of which `microBatch` is divided. */
export async function createWorkerStep(descriptor: number, options: WorkerStepOptions): Promise<WorkerStep> {
  const { engine, rank, workers, hasVelocity, ...stepOptions } = options;
  const tensors = mapTensors(descriptor, options, 'weights');
  const step = await engines.createTrainingStep(engine, {
    ...stepOptions,
    microBatch: stepOptions.microBatch / workers,
    weights: tensors,
    ...(hasVelocity && { velocity: mapTensors(descriptor, options, 'velocity') }),
  });
  const { boxes, ...part } = partOf(mapBatch(descriptor, options), rank, workers);
  const batch = options.spec.head === 'classes' ? part : { ...part, boxes };

  const { gradient } = step;
  // Mapped at the first update: the memory grows to its full size when all workers have said how long their rows are.
  let mappedRows: Float32Array[] | undefined;
  const rows = (): Float32Array[] => {
    mappedRows ??= mapGradients(descriptor, options, workers, gradient.length);
    return mappedRows;
  };
  const reads = {
    weights: step.readWeights,
    velocity: step.readVelocity,
    gradient: step.readGradient,
  };

  return {
    name: step.name,
    gradientLength: gradient.length,
    accumulate: (share) => step.accumulate(batch, share / workers),
    publish: () => gradient.read(rows()[rank]!),
    sum: () => sumSlice(rows(), rank),
    async update(learningRate) {
      gather(rows(), gradient);
      await step.update(learningRate);
    },
    async read(which) {
      for (const [name, tensor] of await reads[which]()) writeTensor(tensor, tensors.get(name)!.data);
    },
  };
}

// --- helpers ---

/** Each row holds the sum in its own slice. */
function gather(rows: readonly Float32Array[], gradient: FlatGradient): void {
  rows.forEach((row, rank) => {
    const [start, end] = sliceOf(rank, rows.length, row.length);
    gradient.write(row.subarray(start, end), start);
  });
}
