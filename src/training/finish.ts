import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { manifestName, readManifest, writeManifest } from '../ensembles/manifest.ts';
import { type StoredNetwork, usualNameOf } from '../ensembles/network.ts';
import { hashSafetensors } from '../formats/safetensors/read.ts';
import { writeSafetensors } from '../formats/safetensors/write.ts';
import { type CheckpointHeader, readCheckpoint } from './checkpoint.ts';
import { networkOf, type RunFolder } from './run-folder.ts';

/**
 * Describes the best network of a training that is over: the manifest names the file that was written after its epoch,
 * which is not written again. Returns the network. Throws INVALID_WEIGHTS if that file is damaged, and DISK_FULL.
 */
export async function finishRun(
  folder: RunFolder,
  { settings, spec, preprocessing, labels, datasetDigest, state }: CheckpointHeader,
  command: string,
): Promise<StoredNetwork> {
  const best = state.best!;
  const path = networkOf(folder, best.epoch);
  if (!existsSync(path)) await convertOldBest(folder, path);
  const network: StoredNetwork = {
    name: usualNameOf(spec),
    ...spec,
    preprocessing,
    trainingScale: settings.scale,
    trainable: settings.trainable,
    file: basename(path),
    sha256: await hashSafetensors(path),
    metrics: { ...best },
    provenance: { command, dataset: basename(settings.data), datasetDigest },
  };
  await writeManifest(folder.path, { format: 1, labels: [...labels], networks: [network] });
  await dropNetworks(folder, best.epoch);
  for (const name of oldNames) await rm(join(folder.path, name), { force: true });
  return network;
}

/** Removes the networks of other epochs, but for the one that the folder's manifest names. */
export async function dropNetworks(folder: RunFolder, bestEpoch: number): Promise<void> {
  const kept = [basename(networkOf(folder, bestEpoch))];
  if (existsSync(join(folder.path, manifestName))) {
    kept.push(...readManifest(folder.path).manifest.networks.map(({ file }) => file));
  }
  for (const name of await readdir(folder.path)) {
    if (networkName.test(name) && !kept.includes(name)) await rm(join(folder.path, name));
  }
}

// --- helpers ---

const networkName = /^epoch-\d+\.safetensors$/;

/** What trainings left before there was a manifest. */
const oldNames = ['best.safetensors', 'network.safetensors', 'network.json'];

/** They kept the best network as a checkpoint. */
async function convertOldBest({ path: folder }: RunFolder, path: string): Promise<void> {
  const { weights } = await readCheckpoint(join(folder, oldNames[0]!));
  await writeSafetensors(path, weights);
}
