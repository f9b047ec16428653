import type { NetworkSpec } from '../network/architecture.ts';
import type { Preprocessing } from '../network/preprocessing.ts';
import type { WeightSources } from '../network/weights.ts';
import type { Device } from './devices.ts';
import type { Precision } from './precision.ts';

export interface TrainingStepOptions {
  readonly spec: NetworkSpec;
  readonly preprocessing: Preprocessing;
  /** Initial weights (network/initialisers.ts, or a checkpoint's). They are copied, and not held on to. */
  readonly weights: WeightSources;
  /** Velocity of a checkpoint; zero when omitted. */
  readonly velocity?: WeightSources;
  /** Pictures in one pass; a larger batch is accumulated over several. */
  readonly microBatch: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** `fullyConnected` tunes the fully connected layers only (paper, appendix A). */
  readonly trainable: 'all' | 'fullyConnected';
  readonly device: Device;
  readonly precision: Precision;
  /** Of the CPU. */
  readonly threads: number;
  /** Path of the native library of an engine that takes one (oneDNN); searched for when omitted. */
  readonly libraryPath?: string | undefined;
}

/** One micro-batch of crops. */
export interface TrainingBatch {
  /** RGB crops, `[microBatch, crop, crop, 3]`. */
  readonly pixels: Uint8Array;
  /** Added to the pixels (0..255, RGB) of each picture before pre-processing, `[microBatch, 3]`: the PCA colour shift. */
  readonly colourShift: Float32Array;
  /** Class of each picture, `[microBatch]`. */
  readonly labels: Int32Array;
  /** Target boxes of a localisation network (relative to the crop: centre x, centre y, width, height), `[microBatch, 4]`. */
  readonly boxes?: Float32Array;
  /** Dropout after the first two fully connected layers: 0 or 1 / keep, each `[microBatch, fc]`. */
  readonly dropout: readonly [Float32Array, Float32Array];
}

/**
 * The arithmetic of training: gradients and Caffe's SGD (paper, 3.1; docs/paper.md). All randomness is in the batches,
 * so two runs over the same batches end in the same weights.
 */
export interface TrainingStep {
  /** What runs it: `onednn 3.2.0 bf16`. */
  readonly name: string;
  /**
   * Forward and backward pass of one micro-batch. Its mean gradient times `share` is added to the gradient since
   * the last update (`share` is 1 for a batch of one micro-batch, 1/m for each of m equal ones).
   * Returns the mean loss of the micro-batch: cross-entropy, or sum((box - target)^2) / 2 of the true class's box.
   * Throws ENGINE_FAILED if the batch has another size than the step was made for, or a label that is no class.
   */
  accumulate(batch: TrainingBatch, share: number): Promise<number>;
  /** velocity = momentum x velocity - rate x (gradient + decay x weight); weight += velocity; gradient = 0. */
  update(learningRate: number): Promise<void>;
  /**
   * By torchvision's names and shapes. A tensor is read from the step when it is asked for, which must be before the
   * next `accumulate`, `update` or `dispose`: later it throws ENGINE_FAILED.
   */
  readWeights(): Promise<WeightSources>;
  readVelocity(): Promise<WeightSources>;
  readGradient(): Promise<WeightSources>;
  /** Frees everything. A second call does nothing; other calls throw ENGINE_FAILED from then on. */
  dispose(): Promise<void>;
}

/** The gradient since the last update as one row of float32, in an order of the step's own: the same for equal options. */
export interface FlatGradient {
  readonly length: number;
  read(to: Float32Array): void;
  /** Puts `from` in the place of the numbers from `start` on. */
  write(from: Float32Array, start: number): void;
}

/** A step that computes in this process, and can be one of several that share their gradients (engine/parallel). */
export interface LocalTrainingStep extends TrainingStep {
  readonly gradient: FlatGradient;
}

export type CreateTrainingStep = (options: TrainingStepOptions) => Promise<TrainingStep>;

/** Creates a step whose place is settled. */
export type CreatePlacedStep = (
  options: Omit<TrainingStepOptions, 'device' | 'libraryPath'>,
) => Promise<TrainingStep>;
