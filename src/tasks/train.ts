import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chooseTrainingEngine } from '../engine/choose-training.ts';
import { writeCandidate } from '../ensembles/candidate.ts';
import { commonLabels } from '../ensembles/common-labels.ts';
import type { StoredVersion } from '../ensembles/load.ts';
import { type NetworkInFolder, type StoredNetwork, weightsPathOf } from '../ensembles/network.ts';
import { readRun } from '../ensembles/run.ts';
import type { NewNetwork } from '../ensembles/write.ts';
import { ownImageLimits } from '../image/limits.ts';
import type { JobResult } from '../jobs/job.ts';
import type { TrainingRequest } from '../jobs/request.ts';
import type { TrainingEvent } from '../training/events.ts';
import { parseSettings } from '../training/settings.ts';
import { train } from '../training/train.ts';
import type { JobRunOptions } from './context.ts';
import { datasetFolder } from './dataset.ts';
import { findNetwork, findVersion } from './source.ts';

/**
 * Trains a job's network in its folder, from the checkpoint there if there is one, and writes the candidate version.
 * Returns undefined if it was stopped. Throws what `train` throws.
 */
export async function trainForJob(
  options: JobRunOptions<TrainingRequest, TrainingEvent> & {
    /** Told which engine `auto` took, and why. */
    readonly onChoice: (reason: string) => void;
  },
): Promise<JobResult | undefined> {
  const { id, request, folder, context, signal, onEvent, onChoice } = options;
  const { base: baseReference, list, ...own } = request.settings;
  const { device, libraryPath } = context;
  const data = await datasetFolder(context.datasetsDir, request.dataset, ['train', 'val']);
  const settings = parseSettings({ ...own, data, ...(list !== undefined && { list: join(data, list) }) });
  const command = `POST /admin/jobs ${JSON.stringify(request)}`;
  const network = await train({
    settings,
    out: folder,
    resume: existsSync(join(folder, 'checkpoint.safetensors')),
    command,
    findSource: (reference) => findNetwork(context.weightsDir, reference, settings.architecture),
    ...(await chooseTrainingEngine(context.engine, { ...settings, device, libraryPath }, onChoice)),
    limits: ownImageLimits,
    onEvent,
    signal,
  });
  if (network === undefined) return undefined;

  const base = baseReference === undefined ? undefined : await findVersion(context.weightsDir, baseReference);
  const trained = readRun(folder);
  const version = await writeCandidate(context.weightsDir, {
    ensemble: request.ensemble,
    labels: labelsOf(trained, base),
    networks: networksOf(trained, base),
    ...(base?.manifest.scales && { scales: base.manifest.scales }),
    provenance: { command, job: id },
  });
  const { manifest, digest } = version;
  return { ensemble: request.ensemble, version: manifest.version, digest, metrics: { ...network.metrics } };
}

// --- helpers ---

/** The networks of the base with the new one, in the place of its namesake if there is one. */
function networksOf(trained: NetworkInFolder, base: StoredVersion | undefined): NewNetwork[] {
  const inBase = (network: StoredNetwork) => ({ folder: base!.folder, network });
  const others = (base?.manifest.networks ?? []).map(inBase);
  const place = others.findIndex(({ network }) => network.name === trained.network.name);
  const all = place < 0 ? [...others, trained] : others.with(place, trained);
  return all.map(({ folder, network }) => ({
    ...network,
    weights: { path: weightsPathOf({ folder, network }), sha256: network.sha256 },
  }));
}

/** A network joins those of the base only with their labels. */
function labelsOf({ network, labels }: NetworkInFolder, base: StoredVersion | undefined): string[] {
  const trained = { name: network.name, head: network.head, labels };
  if (base === undefined) return commonLabels([trained]);
  const { ensemble, version, labels: own } = base.manifest;
  return commonLabels([{ name: `${ensemble}@${version}`, head: 'classes', labels: own }, trained]);
}
