import { join } from 'node:path';
import { writeReport } from '../evaluation/report/report.ts';
import { metricsOf, runEvaluation } from '../evaluation/run.ts';
import { evaluationSettings } from '../evaluation/settings.ts';
import type { EvaluationStep, JobResult } from '../jobs/job.ts';
import type { EvaluationRequest } from '../jobs/request.ts';
import type { JobRunOptions } from './context.ts';
import { datasetFolder } from './dataset.ts';
import { findVersion } from './source.ts';

/**
 * Measures an ensemble on a split of a data set, going on from the images in its folder that are done. Returns undefined
 * if it was stopped; else `evaluation.json` and `report.html` are there. Throws INVALID_JOB and what `runEvaluation`
 * throws.
 */
export async function evaluateForJob(
  options: JobRunOptions<EvaluationRequest, EvaluationStep>,
): Promise<JobResult | undefined> {
  const { id, request, folder, context, signal, onEvent } = options;
  const settings = evaluationSettings.parse(request.settings);
  const { weightsDir, datasetsDir, engine, device, libraryPath, threads } = context;
  const { manifest, digest } = await findVersion(weightsDir, request.ensemble);
  const { ensemble, version } = manifest;
  // A folder a version: another one may be stable when the job is resumed.
  const out = join(folder, `version-${version}`);
  const evaluation = await runEvaluation({
    ...settings,
    data: await datasetFolder(datasetsDir, request.dataset, [settings.split]),
    weights: weightsDir,
    ensembles: [`${ensemble}@${version}`],
    runs: [],
    engine,
    devices: device,
    libraryPath,
    threads,
    precision: 'fp32',
    out,
    onProgress({ done, images, imagesPerSecond, etaSeconds }) {
      onEvent({ type: 'step', epoch: 1, step: done, steps: images, imagesPerSecond, etaSeconds });
    },
    signal,
  });
  if (evaluation === undefined) return undefined;
  await writeReport(join(out, 'report.html'), evaluation, `evaluation job ${id}`);
  return { ensemble, version, digest, metrics: { ...metricsOf(evaluation) } };
}
