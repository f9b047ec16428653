import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf, VerydeepError } from '../errors.ts';
import { readRegularFile } from '../files/regular.ts';
import { checkWeights } from './check-weights.ts';
import type { Ensemble, EnsembleNetwork } from './ensemble.ts';
import {
  checkManifest,
  defaultScales,
  type Manifest,
  manifestName,
  nameSchema,
  specOf,
  versionSchema,
} from './manifest.ts';
import { readVersionLabels } from './version-labels.ts';

/** A number; `latest`, the highest one; or `stable`, the labelled one, and the highest where nothing is labelled. */
export type VersionChoice = string;

/** A version as it was written. */
export interface StoredVersion {
  /** Absolute path of its folder. */
  readonly folder: string;
  readonly manifest: Manifest;
  /** `sha256:` and the hash of the manifest, which holds the hash of every file. */
  readonly digest: string;
}

/**
 * Loads a version of the ensemble `name` from the folder of weights `directory`. Every file is read once to check it,
 * not kept in memory. Throws INVALID_WEIGHTS.
 */
export async function loadEnsemble(
  directory: string,
  name: string,
  version: VersionChoice = 'stable',
): Promise<Ensemble> {
  const { folder, manifest, digest } = await readVersion(directory, name, version);
  const networks: EnsembleNetwork[] = [];
  for (const network of manifest.networks) {
    const file = join(folder, network.file);
    await checkWeights(file, network);
    const { name, preprocessing, trainingScale, metrics } = network;
    networks.push({
      name,
      spec: specOf(network),
      preprocessing,
      trainingScale,
      ...(metrics && { metrics }),
      path: file,
    });
  }
  const classifiers = networks.filter(({ spec }) => spec.head === 'classes');
  const { crop } = classifiers[0]!.spec;
  const trainingScales = classifiers.map(({ trainingScale }) => trainingScale);
  return {
    name,
    version: manifest.version,
    digest,
    labels: manifest.labels,
    classifiers,
    localisers: networks.filter(({ spec }) => spec.head !== 'classes'),
    crop,
    scales: manifest.scales ?? defaultScales(trainingScales, crop),
  };
}

/** Reads the manifest of a version, not its weights. Throws INVALID_WEIGHTS. */
export async function readVersion(
  directory: string,
  name: string,
  version: VersionChoice,
): Promise<StoredVersion> {
  if (!nameSchema.safeParse(name).success)
    throw invalidWeights(`expected the name of an ensemble, received "${name}"`);
  const number = await numberOf(directory, name, version);
  const folder = resolve(directory, name, number);
  const path = join(folder, manifestName);
  const bytes = readManifest(path);
  const manifest = checkManifest(parseJson(bytes, path), path);
  if (manifest.ensemble !== name || manifest.version !== number) {
    throw invalidWeights(
      `${path}: expected ${name} version ${number}, received ${manifest.ensemble} version ${manifest.version}`,
    );
  }
  return { folder, manifest, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

/** Numbers of the versions of an ensemble, lowest first; none where there is no such ensemble. */
export async function listVersions(directory: string, name: string): Promise<string[]> {
  const entries = await readdir(join(directory, name)).catch(() => []);
  return entries
    .filter((entry) => versionSchema.safeParse(entry).success)
    .sort((a, b) => Number(a) - Number(b));
}

// --- helpers ---

async function numberOf(directory: string, name: string, version: VersionChoice): Promise<string> {
  if (version !== 'latest' && version !== 'stable') {
    if (versionSchema.safeParse(version).success) return version;
    throw invalidWeights(`expected a version number, stable or latest, received "${version}"`);
  }
  const latest = (await listVersions(directory, name)).at(-1);
  if (latest === undefined)
    throw invalidWeights(`expected a version of "${name}" in ${resolve(directory)}, found none`);
  const labels = version === 'stable' ? await readVersionLabels(directory, name) : undefined;
  if (labels === undefined) return latest;
  if (labels.stable !== undefined) return labels.stable;
  throw invalidWeights(
    `expected a stable version of "${name}" in ${resolve(directory)}, found candidates only: ask for version ` +
      `${labels.candidate ?? latest} by its number to serve it, or label it in ${join(resolve(directory), name, 'labels.json')}: ` +
      `{"stable": "${labels.candidate ?? latest}"}`,
  );
}

function parseJson(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw invalidWeights(`${path}: expected JSON: ${messageOf(cause)}`, cause);
  }
}

function readManifest(path: string): Buffer {
  try {
    return readRegularFile(path);
  } catch (cause) {
    throw invalidWeights(`${path}: cannot be read: ${messageOf(cause)}`, cause);
  }
}

function invalidWeights(message: string, cause?: unknown): VerydeepError {
  return new VerydeepError('INVALID_WEIGHTS', message, { cause });
}
