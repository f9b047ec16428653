import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { VerydeepError } from '../errors.ts';
import { openSafetensors } from '../formats/safetensors/read.ts';
import { writeSafetensors } from '../formats/safetensors/write.ts';
import type { ColourStatistics } from '../image/colour-shift.ts';
import type { NetworkSpec } from '../network/architecture.ts';
import type { Preprocessing } from '../network/preprocessing.ts';
import { partsOf, type WeightSources } from '../network/weights.ts';
import type { ValidationResult } from './events.ts';
import type { ScheduleState } from './schedule.ts';
import { decisive, type TrainingSettings } from './settings.ts';

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

/**
 * What a checkpoint says about itself: enough to go on from it, or to run its network. The state of the random
 * generators is in it too: they are counter-based (randomness.ts), so seed, epoch and step are all of it.
 */
export interface CheckpointHeader {
  readonly format: 2;
  readonly settings: TrainingSettings;
  readonly spec: NetworkSpec;
  readonly preprocessing: Preprocessing;
  readonly labels: readonly string[];
  readonly datasetDigest: string;
  /** Of the training pictures, measured once; the colour shift of all epochs is drawn from them. */
  readonly colours: ColourStatistics;
  readonly state: TrainingState;
  /** Of the next step. */
  readonly learningRate: number;
}

export interface Checkpoint {
  readonly header: CheckpointHeader;
  readonly weights: WeightSources;
  /** Zero when omitted. Not kept of the best network, which is not trained further. */
  readonly velocity?: WeightSources;
}

/**
 * Writes one safetensors file with the tensors `weights/NAME` and `velocity/NAME`, and in its metadata the header as
 * JSON and the digest; one file, so that its parts cannot be of different steps. Returns the digest. Throws DISK_FULL.
 */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<string> {
  const digest = await digestOf(checkpoint);
  const metadata = { verydeep: JSON.stringify(checkpoint.header), digest };
  await writeSafetensors(path, tensorsOf(checkpoint), metadata);
  return digest;
}

/**
 * Opens a checkpoint, whose tensors are read when they are asked for. The whole file is read once to check it. Throws
 * INVALID_WEIGHTS if it is not a checkpoint, or not the one that was written.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint & { readonly digest: string }> {
  const { tensors, metadata } = openSafetensors(path);
  const header = parseHeader(path, metadata.verydeep);
  const part = (prefix: string): WeightSources =>
    new Map(
      [...tensors]
        .filter(([name]) => name.startsWith(`${prefix}/`))
        .map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]),
    );
  const velocity = part('velocity');
  const checkpoint = { header, weights: part('weights'), ...(velocity.size > 0 && { velocity }) };
  const digest = await digestOf(checkpoint);
  if (digest !== metadata.digest) throw invalidWeights(path, `the digest ${metadata.digest}`, digest);
  return { ...checkpoint, digest };
}

// --- helpers ---

/**
 * `sha256:` and the hash of header, weights and velocity. There is no clock in it, and nothing of where the files lie
 * or how long the training is to go on, so two runs that computed the same have the same digest.
 */
async function digestOf(checkpoint: Checkpoint): Promise<string> {
  const { header } = checkpoint;
  const hash = createHash('sha256');
  hash.update(canonicalJson({ ...header, settings: decisive(header.settings) }));
  for (const [name, tensor] of tensorsOf(checkpoint)) {
    hash.update(`\n${name} ${tensor.shape.join('x')}\n`);
    for (const part of partsOf(tensor)) {
      hash.update(part);
      await setImmediate(); // signals and messages are heard meanwhile
    }
  }
  return `sha256:${hash.digest('hex')}`;
}

function parseHeader(path: string, text: string | undefined): CheckpointHeader {
  let header: Partial<CheckpointHeader> | null = {};
  try {
    header = JSON.parse(text ?? '{}');
  } catch {
    throw invalidWeights(path, 'a checkpoint', 'a header that is not JSON');
  }
  // The digest tells whether all the rest is as it was written.
  if (header?.format === 2 && header.settings) return header as CheckpointHeader;
  throw invalidWeights(path, 'a checkpoint of format 2', `format ${header?.format}`);
}

/** JSON in which the order of keys says nothing: they are sorted. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function tensorsOf({ weights, velocity = new Map() }: Checkpoint): WeightSources {
  const prefixed = (prefix: string, tensors: WeightSources) =>
    [...tensors].map(([name, tensor]) => [`${prefix}/${name}`, tensor] as const);
  return new Map([...prefixed('weights', weights), ...prefixed('velocity', velocity)]);
}

function invalidWeights(path: string, expected: string, received: string): VerydeepError {
  return new VerydeepError('INVALID_WEIGHTS', `${path}: expected ${expected}; received ${received}`);
}
