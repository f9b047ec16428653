import { engines } from '../engine/engines.ts';
import type { StoredVersion } from '../ensembles/load.ts';
import { nameSchema } from '../ensembles/network.ts';
import { isVerydeepError, messageOf } from '../errors.ts';
import { evaluationSettings } from '../evaluation/settings.ts';
import type { Job, NewJob } from '../jobs/job.ts';
import { type EvaluationRequest, readJobRequest, type TrainingRequest } from '../jobs/request.ts';
import { parseSettings, type TrainingSettings, writtenSettings } from '../training/settings.ts';
import { checkFits } from '../training/start.ts';
import type { JobContext } from './context.ts';
import { datasetFolder } from './dataset.ts';
import { checkFitsEnsemble } from './fits-ensemble.ts';
import { invalidJob } from './invalid-job.ts';
import { settingName } from './setting-name.ts';
import { findNetwork, findVersion, type SourceNetwork, settingsLike } from './source.ts';

/**
 * Returns the check of requests for jobs: their settings with all defaults, and with versions by their numbers, so that
 * a job that is resumed means the same. The check throws INVALID_JOB with all reasons.
 */
export function createJobCheck(context: JobContext): (received: NewJob) => Promise<Job['settings']> {
  return async (received) => {
    const request = readJobRequest(received);
    const reasons: string[] = [];
    const attempt: Attempt = async (call) => {
      try {
        return await call();
      } catch (error) {
        if (!isVerydeepError(error)) throw error;
        reasons.push(messageOf(error));
        return undefined;
      }
    };
    const settings = await (request.type === 'evaluate'
      ? checkEvaluation(request, context, attempt)
      : checkTraining(request, context, attempt));
    if (settings === undefined || reasons.length > 0) throw invalidJob(reasons.join('. '));
    return settings;
  };
}

// --- helpers ---

/** Returns undefined, and notes the reason, if a call throws a coded error. */
type Attempt = <T>(call: () => T | Promise<T>) => Promise<T | undefined>;

async function checkEvaluation(
  { dataset, ensemble, settings: written }: EvaluationRequest,
  { datasetsDir, weightsDir }: JobContext,
  attempt: Attempt,
): Promise<Job['settings']> {
  const settings = evaluationSettings.parse(written);
  await attempt(() => datasetFolder(datasetsDir, dataset, [settings.split]));
  const version = await attempt(() => findVersion(weightsDir, ensemble));
  if (version) await attempt(() => checkFitsEnsemble(settings, version.manifest));
  return settings;
}

async function checkTraining(
  { type, dataset, ensemble, settings: written }: TrainingRequest,
  { datasetsDir, weightsDir, threads, engine, device }: JobContext,
  attempt: Attempt,
): Promise<Job['settings'] | undefined> {
  const { from: reference, base: baseReference, list, ...own } = written;
  await attempt(() => datasetFolder(datasetsDir, dataset, ['train', 'val']));
  await attempt(() => checkName(ensemble));
  const wish = { engine, devices: [device], precision: own.precision ?? 'fp32' };
  for (const { of, message } of engines.choose(wish, 'training').contradictions) {
    const name = of === 'precision' ? settingName([of]) : of.toUpperCase();
    await attempt(() => Promise.reject(invalidJob(`${name}: ${message}`)));
  }
  const from =
    reference === undefined
      ? undefined
      : await attempt(() => findNetwork(weightsDir, reference, own.architecture));
  const named =
    baseReference === undefined ? undefined : await attempt(() => findVersion(weightsDir, baseReference));
  if (reference !== undefined && from === undefined) return undefined; // much of the rest depends on it
  const settings = await attempt(() =>
    parseSettings(
      {
        threads,
        ...(from && likeSource(type, from)),
        ...own,
        data: dataset,
        ...(list !== undefined && { list }),
        ...(from && { from: from.reference }),
      },
      { kind: 'setting', nameOf: settingName },
    ),
  );
  if (settings === undefined) return undefined;
  await attempt(() => checkThreads(settings, threads));
  if (from) {
    const spec = { ...settings, classes: from.network.classes };
    await attempt(() => checkFits(spec, from.network, from.reference));
  }
  return stored(type, settings, named ?? (type === 'localise' ? from?.version : undefined));
}

/** The settings of a job as a request has them. */
function stored(
  type: TrainingRequest['type'],
  settings: TrainingSettings,
  base: StoredVersion | undefined,
): Job['settings'] {
  const { data: _, head, ...written } = writtenSettings(settings);
  return {
    ...written,
    ...(type === 'localise' && { head }),
    ...(base && { base: `${base.manifest.ensemble}@${base.manifest.version}` }),
  };
}

/** What must be as in the network that a training starts from need not be said again. */
function likeSource(type: TrainingRequest['type'], source: SourceNetwork): Record<string, unknown> {
  const { architecture } = source.network;
  return { ...settingsLike(source), architecture, ...(type === 'localise' && { head: 'scr' }) };
}

function checkName(ensemble: string): void {
  if (nameSchema.safeParse(ensemble).success) return;
  throw invalidJob(`ensemble: expected lower-case letters, digits, - and _; received "${ensemble}"`);
}

function checkThreads(settings: TrainingSettings, most: number): void {
  if (settings.threads <= most) return;
  throw invalidJob(`settings.threads: expected at most JOB_THREADS (${most}); received ${settings.threads}`);
}
