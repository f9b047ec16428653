import { createHash } from 'node:crypto';
import { appendFileSync, existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { messageOf, VerydeepError } from '../errors.ts';
import type { NetworkSpec } from '../network/architecture.ts';
import type { Preprocessing } from '../network/preprocessing.ts';
import type { Weights } from '../network/weights.ts';
import { readWeights, serialiseWeights, writeDurably } from '../safetensors/safetensors.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { TrainingEvent } from './events.ts';
import type { TrainingSettings } from './settings.ts';
import type { ValidationResult } from './validate.ts';

/** The files of one training. */
export interface RunFolder {
  readonly path: string;
  /** The last good checkpoint, from which training goes on. */
  readonly checkpoint: string;
  /** The checkpoint of the best epoch, without velocity. */
  readonly best: string;
  /** Every event, a line of JSON each, with its time. */
  readonly log: string;
}

/** What `network.json` says of the trained network beside it. */
export interface NetworkDescription {
  readonly format: 1;
  readonly spec: NetworkSpec;
  readonly preprocessing: Preprocessing;
  readonly labels: readonly string[];
  readonly trainingScale: { readonly min: number; readonly max: number };
  /** Layers that were tuned. Folders of older versions do not say. */
  readonly trainable?: TrainingSettings['trainable'];
  readonly sha256: string;
  /** Of the validation split's central crops. */
  readonly metrics: ValidationResult & { readonly epoch: number };
  readonly provenance: { readonly command: string; readonly dataset: string; readonly datasetDigest: string };
}

export type TrainedNetwork = NetworkDescription & { readonly weights: Weights };

/** Opens the folder of a run, made where it is not there. A new run refuses a folder that has a checkpoint. */
export async function openRunFolder(path: string, resume: boolean): Promise<RunFolder> {
  const at = (name: string): string => join(path, name);
  const folder = {
    path,
    checkpoint: at('checkpoint.safetensors'),
    best: at('best.safetensors'),
    log: at('log.jsonl'),
  };
  const exists = existsSync(folder.checkpoint);
  if (resume && !exists) throw bad(`expected a checkpoint to resume from, ${folder.checkpoint} is not there`);
  if (!resume && exists) throw bad(`${path} has a checkpoint already: resume it, or take another folder`);
  await mkdir(path, { recursive: true });
  return folder;
}

/** Appends an event to the log. Progress of loading is not kept. */
export function logEvent(folder: RunFolder, event: TrainingEvent): void {
  if (event.type === 'loading') return;
  appendFileSync(folder.log, `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
}

/** Writes the best network as `network.safetensors` and `network.json`. */
export async function writeTrainedNetwork(
  folder: RunFolder,
  { header, weights }: Checkpoint,
  command: string,
): Promise<NetworkDescription> {
  const { settings, spec, preprocessing, labels, datasetDigest, state } = header;
  const bytes = serialiseWeights(weights);
  const description: NetworkDescription = {
    format: 1,
    spec,
    preprocessing,
    labels,
    trainingScale: settings.scale,
    trainable: settings.trainable,
    sha256: sha256(bytes),
    metrics: state.best!,
    provenance: { command, dataset: basename(settings.data), datasetDigest },
  };
  await writeDurably(join(folder.path, 'network.safetensors'), bytes);
  await writeDurably(join(folder.path, 'network.json'), `${JSON.stringify(description, null, 2)}\n`);
  return description;
}

/** Reads the network that a finished run left. Throws INVALID_WEIGHTS. */
export async function readTrainedNetwork(path: string): Promise<TrainedNetwork> {
  const json = join(path, 'network.json');
  const file = join(path, 'network.safetensors');
  let description: NetworkDescription;
  let bytes: Buffer;
  try {
    description = JSON.parse(await readFile(json, 'utf8'));
    bytes = await readFile(file);
  } catch (cause) {
    const reason = `expected ${resolve(path)} to be the folder of a finished training: ${messageOf(cause)}`;
    throw new VerydeepError('INVALID_WEIGHTS', reason, { cause });
  }
  if (description.format !== 1 || description.sha256 !== sha256(bytes)) {
    throw new VerydeepError(
      'INVALID_WEIGHTS',
      `${file}: expected the hash that ${json} says, received ${sha256(bytes)}`,
    );
  }
  return { ...description, weights: await readWeights(file) };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function bad(message: string): VerydeepError {
  return new VerydeepError('INVALID_SETTINGS', message);
}
