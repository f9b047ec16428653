import { join } from 'node:path';
import { writeReport } from '../evaluation/report/report.ts';
import { metricsOf, runEvaluation } from '../evaluation/run.ts';
import type { EvaluationStep, JobResult } from '../jobs/job.ts';
import type { JobRunOptions } from './context.ts';
import { datasetFolder } from './dataset.ts';
import { parseEvaluationSettings } from './evaluation-settings.ts';
import { findVersion } from './source.ts';

/**
 * Measures an ensemble on a split of a data set, going on from the images in its folder that are done. Answers undefined
 * where it was stopped; else `evaluation.json` and `report.html` are there. Throws INVALID_JOB and what `runEvaluation`
 * throws.
 */
export async function evaluateForJob(options: JobRunOptions<EvaluationStep>): Promise<JobResult | undefined> {
  const { job, folder, context, signal, onEvent } = options;
  const settings = parseEvaluationSettings(job.settings);
  const { weightsDir, datasetsDir, engine, device, libraryPath, threads } = context;
  const { manifest, digest } = await findVersion(weightsDir, job.ensemble);
  const { ensemble, version } = manifest;
  // A folder a version: another one may be stable when the job is resumed.
  const out = join(folder, `version-${version}`);
  const evaluation = await runEvaluation({
    ...settings,
    data: await datasetFolder(datasetsDir, job.dataset, [settings.split]),
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
  await writeReport(join(out, 'report.html'), evaluation, `evaluation job ${job.id}`);
  return { ensemble, version, digest, metrics: { ...metricsOf(evaluation) } };
}
