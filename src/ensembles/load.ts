import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { VerydeepError } from '../errors.ts';
import { checkWeights } from './check-weights.ts';
import type { Ensemble, EnsembleNetwork } from './ensemble.ts';
import {
  defaultScales,
  type Manifest,
  readVersionManifest,
  type StoredManifest,
  versionSchema,
} from './manifest.ts';
import { asEnsembleNetwork, nameSchema, weightsPathOf } from './network.ts';
import { readVersionLabels } from './version-labels.ts';

/** A number; `latest`, the highest one; or `stable`, the labelled one, and the highest if nothing is labelled. */
export type VersionChoice = string;

/** A version as it was written. */
export type StoredVersion = StoredManifest<Manifest>;

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
    await checkWeights(weightsPathOf({ folder, network }), network);
    networks.push(asEnsembleNetwork({ folder, network }));
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
  const stored = readVersionManifest(join(directory, name, number));
  const { folder, manifest } = stored;
  if (manifest.ensemble !== name || manifest.version !== number) {
    throw invalidWeights(
      `${folder}: expected the manifest of ${name} version ${number}; received that of ${manifest.ensemble} version ${manifest.version}`,
    );
  }
  return stored;
}

/** Numbers of the versions of an ensemble, lowest first; none if there is no such ensemble. */
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

function invalidWeights(message: string): VerydeepError {
  return new VerydeepError('INVALID_WEIGHTS', message);
}
