import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readVersion, type StoredVersion } from '../ensembles/load.ts';
import { type ManifestNetwork, specOf } from '../ensembles/manifest.ts';
import { parseReference } from '../ensembles/name-at-version.ts';
import { VerydeepError } from '../errors.ts';
import { writeDurably } from '../files/durable.ts';
import { openSafetensors } from '../formats/safetensors/read.ts';
import { writeSafetensors } from '../formats/safetensors/write.ts';
import type { NetworkDescription } from '../training/run-folder.ts';

/** A network of an ensemble version, as a job names it. */
export interface SourceNetwork {
  /** `mine@3/d`, whatever was written. */
  readonly reference: string;
  readonly version: StoredVersion;
  readonly network: ManifestNetwork;
}

/** Reads `mine`, `mine@3`. The stable version where none is given. Throws INVALID_WEIGHTS. */
export function findVersion(weightsDir: string, reference: string): Promise<StoredVersion> {
  const { name, version } = parseReference(reference);
  return readVersion(weightsDir, name, version);
}

/**
 * Reads `mine@3/d`, or `mine@3` where one of its classification networks is meant: the one of `architecture`, or the
 * only one. Throws INVALID_WEIGHTS.
 */
export async function findNetwork(
  weightsDir: string,
  reference: string,
  architecture: unknown,
): Promise<SourceNetwork> {
  const [versionReference, name, ...rest] = reference.split('/') as [string, string?, ...string[]];
  if (rest.length > 0) throw invalidWeights(`expected NAME@VERSION/NETWORK, received "${reference}"`);
  const version = await findVersion(weightsDir, versionReference);
  const { ensemble, version: number, networks } = version.manifest;
  const classifiers = networks.filter(({ head }) => head === 'classes');
  const network =
    name !== undefined
      ? networks.find((candidate) => candidate.name === name)
      : classifiers.length === 1
        ? classifiers[0]
        : classifiers.find((candidate) => candidate.architecture === architecture);
  if (network === undefined) {
    const names = networks.map((candidate) => `${ensemble}@${number}/${candidate.name}`).join(', ');
    throw invalidWeights(`expected one of ${names}, received "${reference}"`);
  }
  return { reference: `${ensemble}@${number}/${network.name}`, version, network };
}

/** Writes a network as the folder of a finished training, which trainings start from. */
export async function writeAsRun(folder: string, { version, network }: SourceNetwork): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { tensors } = openSafetensors(join(version.folder, network.file));
  const sha256 = await writeSafetensors(join(folder, 'network.safetensors'), tensors);
  const { preprocessing, trainingScale, metrics, provenance } = network;
  const description = {
    format: 1,
    spec: specOf(network),
    preprocessing,
    labels: version.manifest.labels,
    trainingScale,
    sha256,
    metrics,
    provenance,
  } satisfies Record<Exclude<keyof NetworkDescription, 'trainable'>, unknown>;
  await writeDurably(join(folder, 'network.json'), JSON.stringify(description));
}

function invalidWeights(message: string): VerydeepError {
  return new VerydeepError('INVALID_WEIGHTS', message);
}
