import { listVersions, readVersion, type StoredVersion } from './load.ts';
import { readVersionLabels, writeVersionLabels } from './version-labels.ts';
import { type NewVersion, writeEnsembleVersion } from './write.ts';

export interface NewCandidate extends Omit<NewVersion, 'version' | 'provenance'> {
  /** `job` is the job that made it: it is written once, however often the job is started again. */
  readonly provenance: { readonly command: string; readonly job: string };
}

/**
 * Writes the next version of an ensemble and labels it the candidate: it is served by nobody who does not ask for its
 * number. What has been served so far is labelled stable first. Several writers may race: each gets a number of
 * its own. Throws INVALID_WEIGHTS.
 */
export async function writeCandidate(directory: string, candidate: NewCandidate): Promise<StoredVersion> {
  const name = candidate.ensemble;
  const written = await versionOfJob(directory, name, candidate.provenance.job);
  if (written) return written;
  await pinStable(directory, name);
  const version = await writeNext(directory, candidate);
  await writeVersionLabels(directory, name, {
    ...(await readVersionLabels(directory, name)),
    candidate: version,
  });
  return readVersion(directory, name, version);
}

// --- helpers ---

async function versionOfJob(
  directory: string,
  name: string,
  job: string,
): Promise<StoredVersion | undefined> {
  for (const number of await listVersions(directory, name)) {
    const version = await readVersion(directory, name, number);
    if (version.manifest.provenance?.job === job) return version;
  }
  return undefined;
}

/** Until now the highest number was served. From here on it is not the number that decides. */
async function pinStable(directory: string, name: string): Promise<void> {
  if (await readVersionLabels(directory, name)) return;
  const stable = (await listVersions(directory, name)).at(-1);
  await writeVersionLabels(directory, name, stable === undefined ? {} : { stable });
}

/** Takes the next number until it is one that nobody else has taken meanwhile. Returns it. */
async function writeNext(directory: string, candidate: NewCandidate): Promise<string> {
  for (;;) {
    const versions = await listVersions(directory, candidate.ensemble);
    const version = `${Number(versions.at(-1) ?? 0) + 1}`;
    try {
      await writeEnsembleVersion(directory, { ...candidate, version });
      return version;
    } catch (error) {
      if (!(await listVersions(directory, candidate.ensemble)).includes(version)) throw error;
    }
  }
}
