import { join } from 'node:path';
import { engines } from '../engine/engines.ts';
import { nameSchema } from '../ensembles/network.ts';
import { isVerydeepError, messageOf } from '../errors.ts';
import type { JobRequest } from '../jobs/job.ts';
import { parseSettings } from '../training/settings.ts';
import { checkFits } from '../training/start.ts';
import type { JobContext } from './context.ts';
import { datasetFolder } from './dataset.ts';
import { checkFitsEnsemble, parseEvaluationSettings } from './evaluation-settings.ts';
import { invalidJob } from './invalid-job.ts';
import { findNetwork, findVersion, type SourceNetwork } from './source.ts';

/**
 * Answers the check of requests for jobs: their settings with all defaults, and with versions by their numbers, so that
 * a job that is resumed means the same. The check throws INVALID_JOB with all reasons.
 */
export function createJobCheck(context: JobContext) {
  return async (request: JobRequest): Promise<JobRequest['settings']> => {
    const reasons: string[] = [];
    const attempt = async <T>(call: () => T | Promise<T>): Promise<T | undefined> => {
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
    if (reasons.length > 0) throw invalidJob(reasons.join('; '));
    return settings!;
  };
}

// --- helpers ---

/** Answers undefined, and notes the reason, where a call throws a coded error. */
type Attempt = <T>(call: () => T | Promise<T>) => Promise<T | undefined>;

async function checkEvaluation(
  { dataset, ensemble, settings }: JobRequest,
  { datasetsDir, weightsDir }: JobContext,
  attempt: Attempt,
): Promise<JobRequest['settings'] | undefined> {
  const parsed = await attempt(() => parseEvaluationSettings(settings));
  await attempt(() => datasetFolder(datasetsDir, dataset, parsed ? [parsed.split] : []));
  const version = await attempt(() => findVersion(weightsDir, ensemble));
  if (parsed && version) await attempt(() => checkFitsEnsemble(parsed, version.manifest));
  return parsed;
}

async function checkTraining(
  { type, dataset, ensemble, settings }: JobRequest,
  { datasetsDir, weightsDir, threads, engine, device }: JobContext,
  attempt: Attempt,
): Promise<JobRequest['settings'] | undefined> {
  const { from: fromReference, base: baseReference, list, ...own } = settings;
  const expect = (ok: boolean, message: string): Promise<unknown> =>
    attempt(() => {
      if (!ok) throw invalidJob(message);
    });
  const isText = (value: unknown): value is string | undefined =>
    value === undefined || typeof value === 'string';

  const data = await attempt(() => datasetFolder(datasetsDir, dataset, ['train', 'val']));
  await expect(
    nameSchema.safeParse(ensemble).success,
    `ensemble: expected lower-case letters, digits, - and _, received "${ensemble}"`,
  );
  await expect(own.data === undefined, 'settings.data: the data set is said by "dataset"');
  await expect(
    isText(list) && isInside(list),
    'settings.list: expected a file in the folder of the data set',
  );
  await expect(isText(fromReference), 'settings.from: expected NAME@VERSION or NAME@VERSION/NETWORK');
  await expect(isText(baseReference), 'settings.base: expected NAME@VERSION');
  if (type === 'localise') {
    await expect(
      fromReference !== undefined,
      'settings.from: expected NAME@VERSION, whose boxes are to be learnt',
    );
    await expect(own.head !== 'classes', 'settings.head: expected scr or pcr of a job that localises');
  } else {
    await expect(
      own.head === undefined || own.head === 'classes',
      'settings.head: expected classes; a job of type "localise" trains boxes',
    );
  }

  const from =
    isText(fromReference) && fromReference
      ? await attempt(() => findNetwork(weightsDir, fromReference, own.architecture))
      : undefined;
  const base =
    isText(baseReference) && baseReference
      ? await attempt(() => findVersion(weightsDir, baseReference))
      : undefined;
  const parsed = await attempt(() =>
    parseSettings({
      threads,
      ...(from && likeSource(type, from)),
      ...own,
      data: data ?? dataset,
      ...(typeof list === 'string' && { list: join(data ?? dataset, list) }),
      ...(from && { from: from.reference }),
    }),
  );
  const wish = { engine, devices: [device], precision: parsed?.precision ?? 'fp32' };
  for (const { of, message } of engines.choose(wish, 'training').contradictions) {
    await expect(false, `${of === 'precision' ? 'settings.precision' : of.toUpperCase()}: ${message}`);
  }
  if (parsed === undefined) return undefined;
  await expect(
    parsed.threads <= threads,
    `settings.threads: expected at most JOB_THREADS (${threads}), received ${parsed.threads}`,
  );
  if (from)
    await attempt(() =>
      checkFits({ ...parsed, classes: from.network.classes }, from.network, from.reference),
    );
  const { data: _, list: __, ...kept } = parsed;
  const baseOf = base ?? (type === 'localise' ? from?.version : undefined);
  return {
    ...kept,
    ...(typeof list === 'string' && { list }),
    ...(baseOf && { base: `${baseOf.manifest.ensemble}@${baseOf.manifest.version}` }),
  };
}

/** What must be as in the network that a training starts from need not be said again. */
function likeSource(type: JobRequest['type'], { network }: SourceNetwork): Record<string, unknown> {
  const { architecture, width, fc, crop, trainingScale } = network;
  const shape = { width, fc, crop, scale: trainingScale };
  return type === 'localise' ? { ...shape, architecture, head: 'scr' } : shape;
}

/** A relative path that does not lead out of its folder. */
function isInside(path: string | undefined): boolean {
  return path === undefined || !/^[\\/]|(^|[\\/])\.\.([\\/]|$)|\0/.test(path);
}
