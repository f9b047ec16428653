import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { VerydeepError } from '../errors.ts';
import { syncFolder } from '../files/durable.ts';
import { makeFolder } from '../files/make-folder.ts';
import { placeFile } from '../files/place.ts';
import { writeSafetensors } from '../formats/safetensors/write.ts';
import { checkTensors } from '../network/check-tensors.ts';
import type { WeightSources } from '../network/weights.ts';
import { checkWeights } from './check-weights.ts';
import { checkManifest, type Manifest, writeManifest } from './manifest.ts';
import type { StoredNetwork } from './network.ts';

/** What the writer adds to a network: the name of its file and the hash. */
export interface NewNetwork extends Omit<StoredNetwork, 'file' | 'sha256'> {
  /** Tensors to write, or a file that stays as it is: its bytes are not written again if the file system can link. */
  readonly weights: WeightSources | { readonly path: string; readonly sha256: string };
}

export interface NewVersion extends Omit<Manifest, 'format' | 'networks'> {
  readonly networks: readonly NewNetwork[];
}

/**
 * Writes the folder `directory/NAME/VERSION`: the networks' files, then the manifest. All is written and synced under a
 * temporary name and renamed, so a version is there whole or not at all. Versions never change: throws
 * INVALID_WEIGHTS if it exists, if the manifest would not be valid, or if the weights are not those of their network.
 * Returns the folder's path.
 */
export async function writeEnsembleVersion(directory: string, version: NewVersion): Promise<string> {
  const draft: Manifest = {
    format: 1,
    ...version,
    networks: version.networks.map(({ weights: _, ...network }) => ({
      ...network,
      file: `${network.name}.safetensors`,
      sha256: '0'.repeat(64),
    })),
  };
  // Before any file is written, and before names become paths.
  checkManifest(draft, 'new version');
  const parent = resolve(directory, draft.ensemble);
  const folder = join(parent, draft.version);
  if (existsSync(folder)) throw taken(folder);
  makeFolder(parent);
  await removeAbandoned(parent);
  // Several machines may share the folder of weights.
  const temporary = join(parent, `.${draft.version}.${hostname()}.${process.pid}.tmp`);
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary);
  try {
    const networks: StoredNetwork[] = [];
    for (const [i, network] of draft.networks.entries()) {
      const sha256 = await writeWeights(join(temporary, network.file), network, version.networks[i]!.weights);
      networks.push({ ...network, sha256 });
    }
    await writeManifest(temporary, { ...draft, networks });
    await syncFolder(temporary);
    await rename(temporary, folder).catch((cause: NodeJS.ErrnoException) => {
      throw cause.code === 'ENOTEMPTY' || cause.code === 'EEXIST' ? taken(folder) : cause;
    });
    await syncFolder(parent);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return folder;
}

// --- helpers ---

/** After so long no writer is at work any more. */
const abandonedMs = 86_400_000;

/** What writers left that were killed: nobody reads it, and it may be as large as a version. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!/^\.\d+\..+\.\d+\.tmp$/.test(name)) continue;
    const path = join(parent, name);
    const stats = await stat(path).catch(() => undefined); // renamed or removed meanwhile
    if (stats && Date.now() - stats.mtimeMs > abandonedMs) await rm(path, { recursive: true, force: true });
  }
}

/** Returns the hash of the file. */
async function writeWeights(
  path: string,
  network: StoredNetwork,
  weights: NewNetwork['weights'],
): Promise<string> {
  if ('path' in weights) {
    const { sha256 } = weights;
    await checkWeights(weights.path, { ...network, sha256 });
    await placeFile(weights.path, path);
    return sha256;
  }
  checkTensors(network.file, network, weights);
  return writeSafetensors(path, weights);
}

function taken(folder: string): VerydeepError {
  return new VerydeepError(
    'INVALID_WEIGHTS',
    `${folder}: expected a new version, this one exists and never changes`,
  );
}
