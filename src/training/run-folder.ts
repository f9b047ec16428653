import { appendFileSync, existsSync } from 'node:fs';
import { readdir, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { VerydeepError } from '../errors.ts';
import { asDiskFull } from '../files/disk-full.ts';
import { makeFolder } from '../files/make-folder.ts';
import { type Checkpoint, writeCheckpoint } from './checkpoint.ts';
import type { OnTrainingEvent, TrainingEvent } from './events.ts';

/** The files of one training. */
export interface RunFolder {
  readonly path: string;
  /** The last good checkpoint, from which training goes on. */
  readonly checkpoint: string;
  /** Every event, a line of JSON each, with its time. */
  readonly log: string;
}

/** The network as it was after an epoch: of the best epoch so far, and of those that the folder's manifest names. */
export function networkOf({ path }: RunFolder, epoch: number): string {
  return join(path, `epoch-${epoch}.safetensors`);
}

/**
 * Opens the folder of a run, made if it is not there, and clears away what a killed run left unfinished. A new run
 * refuses a folder that has a checkpoint.
 */
export async function openRunFolder(path: string, resume: boolean): Promise<RunFolder> {
  const at = (name: string): string => join(path, name);
  const folder = {
    path,
    checkpoint: at('checkpoint.safetensors'),
    log: at('log.jsonl'),
  };
  const exists = existsSync(folder.checkpoint);
  if (resume && !exists)
    throw invalidSettings(`expected a checkpoint to resume from, ${folder.checkpoint} is not there`);
  if (!resume && exists)
    throw invalidSettings(`${path} has a checkpoint already: resume it, or take another folder`);
  makeFolder(path);
  for (const name of await readdir(path)) {
    if (temporaryName.test(name)) await rm(at(name));
  }
  if (existsSync(folder.log)) await removeTornLine(folder.log);
  return folder;
}

/** What `writeDurably` calls the files of this folder before they are whole. */
const temporaryName = /^(checkpoint|epoch-\d+|manifest)\.(safetensors|json)\.\d+\.tmp$/;

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

// --- helpers ---

/** A full disk can end the log in the middle of a line, which the next one would go on with. */
async function removeTornLine(log: string): Promise<void> {
  const bytes = await readFile(log);
  const end = bytes.lastIndexOf('\n') + 1;
  if (end < bytes.length) await truncate(log, end);
}

function invalidSettings(message: string): VerydeepError {
  return new VerydeepError('INVALID_SETTINGS', message);
}
