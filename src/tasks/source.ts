import { existsSync } from 'node:fs';
import { readVersion, type StoredVersion } from '../ensembles/load.ts';
import { parseReference } from '../ensembles/name-at-version.ts';
import type { NetworkInFolder } from '../ensembles/network.ts';
import { readRun } from '../ensembles/run.ts';
import { VerydeepError } from '../errors.ts';
import { writtenScale } from '../training/setting-values.ts';

/** A network of an ensemble version, as a job names it. */
export interface SourceNetwork extends NetworkInFolder {
  /** `mine@3/d`, whatever was written. */
  readonly reference: string;
  readonly version: StoredVersion;
}

/** Reads `mine`, `mine@3`. The stable version when none is given. Throws INVALID_WEIGHTS. */
export function findVersion(weightsDir: string, reference: string): Promise<StoredVersion> {
  const { name, version } = parseReference(reference);
  return readVersion(weightsDir, name, version);
}

/**
 * Reads `mine@3/d`, or `mine@3` if one of its classification networks is meant: the one of `architecture`, or the
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
  const { folder, manifest } = version;
  const { ensemble, version: number, networks, labels } = manifest;
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
  return { reference: `${ensemble}@${number}/${network.name}`, version, folder, network, labels };
}

/** The folder of a training, else a network of an ensemble version by its name. Throws INVALID_WEIGHTS. */
export async function findRunOrNetwork(
  weightsDir: string,
  from: string,
  architecture: unknown,
): Promise<NetworkInFolder> {
  return existsSync(from) ? readRun(from) : findNetwork(weightsDir, from, architecture);
}

/** What a training takes over from the network that it starts from, as its settings are written. */
export function settingsLike({ network }: NetworkInFolder) {
  const { width, fc, crop, trainingScale } = network;
  return { width, fc, crop, scale: writtenScale(trainingScale) };
}

// --- helpers ---

function invalidWeights(message: string): VerydeepError {
  return new VerydeepError('INVALID_WEIGHTS', message);
}
