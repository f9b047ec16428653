import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseTrainingEngine } from '../engine/choose-training.ts';
import { writeCandidate } from '../ensembles/candidate.ts';
import type { StoredVersion } from '../ensembles/load.ts';
import type { NewNetwork } from '../ensembles/write.ts';
import { VerydeepError } from '../errors.ts';
import { ownImageLimits } from '../image/limits.ts';
import type { JobResult } from '../jobs/job.ts';
import type { TrainingEvent } from '../training/events.ts';
import { readTrainedNetwork, type TrainedNetwork } from '../training/run-folder.ts';
import { parseSettings } from '../training/settings.ts';
import { train } from '../training/train.ts';
import type { JobRunOptions } from './context.ts';
import { datasetFolder } from './dataset.ts';
import { findNetwork, findVersion, writeAsRun } from './source.ts';

/**
 * Trains a job's network in its folder, from the checkpoint there where there is one, and writes the candidate version.
 * Answers undefined where it was stopped. Throws what `train` throws.
 */
export async function trainForJob(
  options: JobRunOptions<TrainingEvent> & {
    /** Told which engine `auto` took, and why. */
    readonly onChoice: (reason: string) => void;
  },
): Promise<JobResult | undefined> {
  const { job, folder, context, signal, onEvent, onChoice } = options;
  const {
    base: baseReference,
    from,
    list,
    ...own
  } = job.settings as Record<string, unknown> & {
    base?: string;
    from?: string;
    list?: string;
  };
  const { device, libraryPath } = context;
  const data = await datasetFolder(context.datasetsDir, job.dataset, ['train', 'val']);
  const sourceFolder = join(folder, 'source');
  if (from !== undefined) {
    await writeAsRun(sourceFolder, await findNetwork(context.weightsDir, from, own.architecture));
  }
  const settings = parseSettings({
    ...own,
    data,
    ...(list !== undefined && { list: join(data, list) }),
    ...(from !== undefined && { from: sourceFolder }),
  });
  const { type, dataset, ensemble } = job;
  const command = `POST /admin/jobs ${JSON.stringify({ type, dataset, ensemble, settings: job.settings })}`;
  const description = await train({
    settings,
    out: folder,
    resume: existsSync(join(folder, 'checkpoint.safetensors')),
    command,
    ...(await chooseTrainingEngine(context.engine, { ...settings, device, libraryPath }, onChoice)),
    limits: ownImageLimits,
    onEvent,
    signal,
  });
  if (description === undefined) return undefined;

  const base = baseReference === undefined ? undefined : await findVersion(context.weightsDir, baseReference);
  const network = await readTrainedNetwork(folder);
  const version = await writeCandidate(context.weightsDir, {
    ensemble,
    labels: commonLabels(network, base),
    networks: networksOf(network, base),
    ...(base?.manifest.scales && { scales: base.manifest.scales }),
    provenance: { command, job: job.id },
  });
  await rm(sourceFolder, { recursive: true, force: true });
  const { manifest, digest } = version;
  return { ensemble, version: manifest.version, digest, metrics: { ...description.metrics } };
}

// --- helpers ---

/** The networks of the base with the new one, in the place of its namesake where there is one. */
function networksOf(trained: TrainedNetwork, base: StoredVersion | undefined): NewNetwork[] {
  const { spec, preprocessing, trainingScale, metrics, provenance, weights } = trained;
  const fresh: NewNetwork = {
    name: spec.head === 'classes' ? spec.architecture.toLowerCase() : 'boxes',
    ...spec,
    preprocessing: { ...preprocessing, mean: [...preprocessing.mean], std: [...preprocessing.std] },
    trainingScale,
    metrics: { ...metrics },
    provenance,
    weights,
  };
  const others = (base?.manifest.networks ?? []).map(
    ({ file, sha256, ...network }): NewNetwork => ({
      ...network,
      weights: { path: join(base!.folder, file), sha256 },
    }),
  );
  const place = others.findIndex(({ name }) => name === fresh.name);
  return place < 0 ? [...others, fresh] : others.with(place, fresh);
}

/** One box for all classes (SCR) knows nothing of labels; all other networks must answer the same ones. */
function commonLabels({ spec, labels }: TrainedNetwork, base: StoredVersion | undefined): string[] {
  if (base === undefined) return [...labels];
  const { manifest } = base;
  if (spec.head !== 'scr' && labels.join('\n') !== manifest.labels.join('\n')) {
    throw new VerydeepError(
      'INVALID_WEIGHTS',
      `expected a data set with the labels of ${manifest.ensemble}@${manifest.version}, to join its networks: it has ${labels.length} others`,
    );
  }
  return [...manifest.labels];
}
