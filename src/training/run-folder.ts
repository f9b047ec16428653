import { appendFileSync, existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { messageOf, VerydeepError } from '../errors.ts';
import { asDiskFull } from '../files/disk-full.ts';
import { writeDurably } from '../files/durable.ts';
import { hashSafetensors, openSafetensors } from '../formats/safetensors/read.ts';
import { writeSafetensors } from '../formats/safetensors/write.ts';
import type { NetworkSpec } from '../network/architecture.ts';
import type { Preprocessing } from '../network/preprocessing.ts';
import type { WeightSources } from '../network/weights.ts';
import { type Checkpoint, writeCheckpoint } from './checkpoint.ts';
import type { OnTrainingEvent, TrainingEvent, ValidationResult } from './events.ts';
import type { TrainingSettings } from './settings.ts';

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

export type TrainedNetwork = NetworkDescription & { readonly weights: WeightSources };

/**
 * Opens the folder of a run, made where it is not there, and clears away what a killed run left unfinished. A new run
 * refuses a folder that has a checkpoint.
 */
export async function openRunFolder(path: string, resume: boolean): Promise<RunFolder> {
  const at = (name: string): string => join(path, name);
  const folder = {
    path,
    checkpoint: at('checkpoint.safetensors'),
    best: at('best.safetensors'),
    log: at('log.jsonl'),
  };
  const exists = existsSync(folder.checkpoint);
  if (resume && !exists)
    throw invalidSettings(`expected a checkpoint to resume from, ${folder.checkpoint} is not there`);
  if (!resume && exists)
    throw invalidSettings(`${path} has a checkpoint already: resume it, or take another folder`);
  await mkdir(path, { recursive: true });
  for (const name of await readdir(path)) {
    if (temporaryName.test(name)) await rm(at(name));
  }
  if (existsSync(folder.log)) await removeTornLine(folder.log);
  return folder;
}

/** What `writeDurably` calls the files of this folder before they are whole. */
const temporaryName = /^(checkpoint|best|network)\.(safetensors|json)\.\d+\.tmp$/;

/** A full disk can end the log in the middle of a line, which the next one would go on with. */
async function removeTornLine(log: string): Promise<void> {
  const bytes = await readFile(log);
  const end = bytes.lastIndexOf('\n') + 1;
  if (end < bytes.length) await truncate(log, end);
}

/** Appends an event to the log. Progress of loading is not kept. Throws DISK_FULL. */
export function logEvent(folder: RunFolder, event: TrainingEvent): void {
  if (event.type === 'loading') return;
  const line = `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`;
  try {
    appendFileSync(folder.log, line);
  } catch (error) {
    throw asDiskFull(error, folder.log, Buffer.byteLength(line));
  }
}

/** Writes the checkpoint from which training goes on, and tells so. Throws DISK_FULL. */
export async function saveCheckpoint(
  folder: RunFolder,
  checkpoint: Checkpoint,
  onEvent: OnTrainingEvent,
): Promise<void> {
  const started = performance.now();
  const digest = await writeCheckpoint(folder.checkpoint, checkpoint);
  const { epoch, step } = checkpoint.header.state;
  onEvent({ type: 'checkpoint', epoch, step, digest, seconds: (performance.now() - started) / 1000 });
}

/** Writes the best network as `network.safetensors` and `network.json`. Throws DISK_FULL. */
export async function writeTrainedNetwork(
  folder: RunFolder,
  { header, weights }: Checkpoint,
  command: string,
): Promise<NetworkDescription> {
  const { settings, spec, preprocessing, labels, datasetDigest, state } = header;
  const sha256 = await writeSafetensors(join(folder.path, 'network.safetensors'), weights);
  const description: NetworkDescription = {
    format: 1,
    spec,
    preprocessing,
    labels,
    trainingScale: settings.scale,
    trainable: settings.trainable,
    sha256,
    metrics: state.best!,
    provenance: { command, dataset: basename(settings.data), datasetDigest },
  };
  await writeDurably(join(folder.path, 'network.json'), `${JSON.stringify(description, null, 2)}\n`);
  return description;
}

/** Reads the network that a finished run left. Throws INVALID_WEIGHTS. */
export async function readTrainedNetwork(path: string): Promise<TrainedNetwork> {
  const json = join(path, 'network.json');
  const file = join(path, 'network.safetensors');
  let description: NetworkDescription;
  try {
    description = JSON.parse(await readFile(json, 'utf8'));
  } catch (cause) {
    const reason = `expected ${resolve(path)} to be the folder of a finished training: ${messageOf(cause)}`;
    throw new VerydeepError('INVALID_WEIGHTS', reason, { cause });
  }
  const sha256 = await hashSafetensors(file);
  if (description.format !== 1 || description.sha256 !== sha256) {
    throw new VerydeepError(
      'INVALID_WEIGHTS',
      `${file}: expected the hash that ${json} says, received ${sha256}`,
    );
  }
  return { ...description, weights: openSafetensors(file).tensors };
}

function invalidSettings(message: string): VerydeepError {
  return new VerydeepError('INVALID_SETTINGS', message);
}
