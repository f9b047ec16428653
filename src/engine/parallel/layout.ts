import type { NetworkSpec } from '../../network/architecture.ts';
import { tensorsOf } from '../../network/layers.ts';
import { countOf, type Tensor } from '../../network/weights.ts';
import type { TrainingBatch } from '../training-step.ts';
import { mapShared, pageBytes } from './shared-memory.ts';

/** What decides where things lie in the memory that a training's processes share. */
export interface LayoutOptions {
  readonly spec: NetworkSpec;
  /** Pictures of all workers together. */
  readonly microBatch: number;
}

/**
 * The memory begins with a micro-batch. After it lie either tensors (the network's weights, then velocities) or rows of
 * gradients, one a worker: gradients are there during an update only, tensors are carried between updates only.
 */
export function bytesWithTensors(options: LayoutOptions): number {
  return batchBytes(options) + 2 * tensorBytes(options);
}

export function bytesWithGradients(options: LayoutOptions, workers: number, length: number): number {
  return batchBytes(options) + workers * inPages(4 * length);
}

export function mapBatch(descriptor: number, options: LayoutOptions): Required<TrainingBatch> {
  const { spec, microBatch } = options;
  const memory = mapShared(descriptor, 0, batchBytes(options));
  let offset = 0;
  const floats = (count: number): Float32Array => {
    const array = new Float32Array(memory, offset, count);
    offset += array.byteLength;
    return array;
  };
  const labels = new Int32Array(memory, offset, microBatch);
  offset += labels.byteLength;
  return {
    labels,
    colourShift: floats(microBatch * 3),
    boxes: floats(microBatch * 4),
    dropout: [floats(microBatch * spec.fc), floats(microBatch * spec.fc)],
    pixels: new Uint8Array(memory, offset, microBatch * spec.crop ** 2 * 3),
  };
}

/** The pictures of one worker of a micro-batch. */
export function partOf(
  batch: Required<TrainingBatch>,
  rank: number,
  workers: number,
): Required<TrainingBatch> {
  const part = <T extends Uint8Array | Float32Array | Int32Array>(values: T): T => {
    const count = values.length / workers;
    return values.subarray(rank * count, (rank + 1) * count) as T;
  };
  return {
    labels: part(batch.labels),
    colourShift: part(batch.colourShift),
    boxes: part(batch.boxes),
    dropout: [part(batch.dropout[0]), part(batch.dropout[1])],
    pixels: part(batch.pixels),
  };
}

/** All tensors of the network, by torchvision's names: `weights`, or `velocity` behind them. */
export function mapTensors(
  descriptor: number,
  options: LayoutOptions,
  which: 'weights' | 'velocity',
): Map<string, Tensor> {
  const bytes = tensorBytes(options);
  const memory = mapShared(descriptor, batchBytes(options) + (which === 'weights' ? 0 : bytes), bytes);
  let offset = 0;
  return new Map(
    tensorsOf(options.spec).map(({ name, shape }) => {
      const data = new Float32Array(memory, offset, countOf(shape));
      offset += data.byteLength;
      return [name, { shape, data }];
    }),
  );
}

/** The flat gradients of all workers, each of `length` numbers. */
export function mapGradients(
  descriptor: number,
  options: LayoutOptions,
  workers: number,
  length: number,
): Float32Array[] {
  return Array.from({ length: workers }, (_, rank) => {
    const offset = batchBytes(options) + rank * inPages(4 * length);
    return new Float32Array(mapShared(descriptor, offset, 4 * length));
  });
}

// --- helpers ---

function batchBytes({ spec, microBatch }: LayoutOptions): number {
  const words = 1 + 3 + 4 + 2 * spec.fc;
  return inPages(microBatch * (4 * words + spec.crop ** 2 * 3));
}

function tensorBytes({ spec }: LayoutOptions): number {
  return inPages(tensorsOf(spec).reduce((sum, { shape }) => sum + 4 * countOf(shape), 0));
}

function inPages(bytes: number): number {
  return Math.ceil(bytes / pageBytes) * pageBytes;
}
