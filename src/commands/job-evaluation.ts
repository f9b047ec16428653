import { evaluate } from '../evaluation/evaluate.ts';
import { tableRows } from '../evaluation/rows.ts';
import type { JobResult } from '../jobs/job.ts';
import { readImageFolder } from '../training/image-folder.ts';
import { datasetFolder } from './job-dataset.ts';
import { parseEvaluationSettings } from './job-evaluation-settings.ts';
import type { JobRunOptions } from './job-training.ts';
import { openInference } from './local-inference.ts';

/** Measures an ensemble on a split of a data set. A stop ends it without an answer: it has nothing to go on from. */
export async function evaluateForJob(options: JobRunOptions): Promise<JobResult | undefined> {
  const { job, context, signal, onEvent } = options;
  const settings = parseEvaluationSettings(job.settings);
  const { split, view, flip, localise } = settings;
  const listing = await readImageFolder(
    await datasetFolder(context.datasetsDir, job.dataset, [split]),
    split,
  );
  const [name, version = 'stable'] = job.ensemble.split('@') as [string, string?];
  const { weightsDir, engine, threads } = context;
  const local = await openInference({
    weights: weightsDir,
    ensemble: name,
    version,
    engine,
    devices: 'cpu',
    threads,
  });
  try {
    const { ensemble, inference, concurrency } = local;
    const scales = settings.scales ?? ensemble.scales;
    const networks = settings.networks ?? ensemble.classifiers.map((network) => network.name);
    const stopped = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined));
    });
    const metrics = await Promise.race([
      stopped,
      evaluate({
        inference,
        ensemble,
        listing,
        rows: tableRows(networks, scales, flip, view),
        ...(localise && { localise: { scales, networks, flip } }),
        concurrency,
        onProgress: (done) => onEvent({ type: 'loading', done, total: listing.samples.length }),
      }),
    ]);
    if (metrics === undefined) return undefined;
    return { ensemble: name, version: ensemble.version, digest: ensemble.digest, metrics: { ...metrics } };
  } finally {
    await local.dispose();
  }
}
