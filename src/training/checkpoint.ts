import { VerydeepError } from '../errors.ts';
import type { NetworkSpec } from '../network/architecture.ts';
import type { Preprocessing } from '../network/preprocessing.ts';
import type { Weights } from '../network/weights.ts';
import { readSafetensors, serialiseWeights, toFloat32, writeDurably } from '../safetensors/safetensors.ts';
import type { ScheduleState } from './schedule.ts';
import type { TrainingSettings } from './settings.ts';
import type { ValidationResult } from './validate.ts';

/** How far a training is. */
export interface TrainingState {
  /** The epoch that is under way, counted from 1. */
  readonly epoch: number;
  /** Steps of this epoch that are done, and the sum of their losses. */
  readonly step: number;
  readonly lossSum: number;
  readonly schedule: ScheduleState;
  /** The epoch whose network is kept as the best one. */
  readonly best?: ValidationResult & { readonly epoch: number };
}

/** What a checkpoint says about itself: enough to go on from it, or to run its network. */
export interface CheckpointHeader {
  readonly format: 1;
  readonly settings: TrainingSettings;
  readonly spec: NetworkSpec;
  readonly preprocessing: Preprocessing;
  readonly labels: readonly string[];
  readonly datasetDigest: string;
  readonly state: TrainingState;
}

export interface Checkpoint {
  readonly header: CheckpointHeader;
  readonly weights: Weights;
  /** Not kept of the best network, which is not trained further. */
  readonly velocity?: Weights;
}

/**
 * Writes one safetensors file with the tensors `weights/NAME` and `velocity/NAME`, and the header as JSON in its
 * metadata; one file, so that its parts cannot be of different steps. Random numbers need no state: they depend on
 * seed, epoch and step alone. Throws TRAINING_DIVERGED rather than write a number that is not finite.
 */
export async function writeCheckpoint(
  path: string,
  { header, weights, velocity }: Checkpoint,
): Promise<void> {
  const tensors = new Map([...prefixed('weights', weights), ...prefixed('velocity', velocity ?? new Map())]);
  for (const [name, { data }] of tensors) {
    if (!data.every(Number.isFinite)) {
      throw new VerydeepError(
        'TRAINING_DIVERGED',
        `${name} is no longer finite in epoch ${header.state.epoch}`,
      );
    }
  }
  await writeDurably(path, serialiseWeights(tensors, 'F32', { verydeep: JSON.stringify(header) }));
}

/** Throws INVALID_WEIGHTS where the file is not a checkpoint. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = await readSafetensors(path);
  const text = metadata.verydeep;
  const header = text === undefined ? undefined : (JSON.parse(text) as CheckpointHeader);
  if (header?.format !== 1) {
    throw new VerydeepError(
      'INVALID_WEIGHTS',
      `${path}: expected a checkpoint of format 1, found no such header`,
    );
  }
  const part = (prefix: string): Weights =>
    new Map(
      [...tensors]
        .filter(([name]) => name.startsWith(`${prefix}/`))
        .map(([name, tensor]) => [
          name.slice(prefix.length + 1),
          { shape: tensor.shape, data: toFloat32(tensor) },
        ]),
    );
  const velocity = part('velocity');
  return { header, weights: part('weights'), ...(velocity.size > 0 && { velocity }) };
}

function prefixed(prefix: string, weights: Weights): Weights {
  return new Map([...weights].map(([name, tensor]) => [`${prefix}/${name}`, tensor]));
}
