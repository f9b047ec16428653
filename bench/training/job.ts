/**
 * `npm run bench:training-job -- --data FOLDER`: does the whole job keep up with its step? One epoch of bare steps on one
 * batch in memory and one epoch of the training loop (loading, augmentation, events; then validation and checkpoints)
 * take turns, on the same training step and threads; the loader's own speed beside them. oneDNN only.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { engines } from '../../src/engine/engines.ts';
import { createOnednnTrainingStep } from '../../src/engine/onednn/training-step.ts';
import { readRun } from '../../src/ensembles/run.ts';
import { ownImageLimits } from '../../src/image/limits.ts';
import { stepsPerEpoch } from '../../src/training/batch.ts';
import type { CheckpointHeader, TrainingState } from '../../src/training/checkpoint.ts';
import { loadDataset } from '../../src/training/dataset.ts';
import { type BatchLoader, createBatchLoader } from '../../src/training/loader.ts';
import { trainingLoop } from '../../src/training/loop.ts';
import { openRunFolder } from '../../src/training/run-folder.ts';
import { initialScheduleState } from '../../src/training/schedule.ts';
import { parseSettings, validationScale } from '../../src/training/settings.ts';
import { startingPoint } from '../../src/training/start.ts';
import { median } from '../statistics.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    width: { type: 'string', default: '0.125' },
    fc: { type: 'string', default: '256' },
    precision: { type: 'string', default: 'bf16' },
    'cache-mb': { type: 'string', default: '2048' },
    /** Turns of bare steps and job. */
    rounds: { type: 'string', default: '3' },
  },
});

const rounds = Number(values.rounds);
const settings = parseSettings({
  data: values.data,
  architecture: 'D',
  width: Number(values.width),
  fc: Number(values.fc),
  crop: 128,
  scale: '128-192',
  batch: 32,
  epochs: rounds,
  rate: 0.001,
  initialise: 'he',
  precision: values.precision,
  cacheMb: Number(values['cache-mb']),
});
const { batch, crop, scale, seed, fc, precision, threads } = settings;
const limits = ownImageLimits;

const loadingStarted = performance.now();
const dataset = await loadDataset({
  data: settings.data,
  scales: { train: scale.max, validation: validationScale(settings) },
  boxes: false,
  maxBrokenShare: 0.01,
  cacheBytes: settings.cacheMb * 2 ** 20,
  limits,
});
const loadingSeconds = (performance.now() - loadingStarted) / 1000;
const { weights, ...network } = await startingPoint(settings, dataset, readRun);
const step = await createOnednnTrainingStep({
  ...network,
  weights,
  microBatch: batch,
  momentum: 0.9,
  weightDecay: 5e-4,
  trainable: 'all',
  device: 'cpu',
  precision,
  threads,
});
const engine = await engines.createEngine({
  engine: 'onednn',
  device: 'cpu',
  threads,
  sharedCores: true,
  precision,
});
const out = await mkdtemp(join(tmpdir(), 'verydeep-'));
const folder = await openRunFolder(out, false);
const steps = stepsPerEpoch(dataset.train.length, batch);

function newLoader(): BatchLoader {
  const plan = { seed, crop, scale, batch, microBatch: batch, fc, colours: dataset.colours };
  return createBatchLoader(plan, dataset.train, limits, { epoch: 1, step: 0 });
}

/** Images a second of one epoch of the loader alone, without a step beside it. */
async function loaderAlone(): Promise<number> {
  const loader = newLoader();
  await loader.next(); // its thread has started
  const started = performance.now();
  for (let i = 0; i < steps; i++) await loader.next();
  const rate = (1000 * batch * steps) / (performance.now() - started);
  await loader.close();
  return rate;
}

/** Images a second of an epoch's number of steps on one batch. */
async function bareSteps(): Promise<number> {
  const loader = newLoader();
  const one = await loader.next();
  await loader.close();
  const started = performance.now();
  for (let i = 0; i < steps; i++) {
    await step.accumulate(one, 1);
    await step.update(0.001);
  }
  return (1000 * batch * steps) / (performance.now() - started);
}

/** Images a second of the steps of one epoch of the loop, and of the whole epoch. */
async function epochOfJob(state: TrainingState) {
  const header: CheckpointHeader = {
    format: 2,
    settings: { ...settings, epochs: state.epoch },
    ...network,
    labels: dataset.labels,
    datasetDigest: dataset.digest,
    colours: dataset.colours,
    state,
    learningRate: Number(settings.rate),
  };
  const times: number[] = [];
  const next = await trainingLoop({
    header,
    dataset,
    step,
    engine,
    folder,
    limits,
    onEvent: ({ type }) => type === 'step' && times.push(performance.now()),
    signal: new AbortController().signal,
  });
  const images = batch * (steps - 1); // the time of the first step is not known: the loader's thread starts before it
  const stepsMs = times.at(-1)! - times[0]!;
  const epochMs = performance.now() - times[0]!;
  return { state: next, stepRate: (1000 * images) / stepsMs, epochRate: (1000 * images) / epochMs };
}

try {
  await bareSteps(); // warm
  const rows: { loader: number; bare: number; job: number; epoch: number }[] = [];
  let state: TrainingState = { epoch: 1, step: 0, lossSum: 0, schedule: initialScheduleState };
  for (let round = 0; round < rounds; round++) {
    const loader = await loaderAlone();
    const bare = await bareSteps();
    const job = await epochOfJob(state);
    state = job.state;
    rows.push({ loader, bare, job: job.stepRate, epoch: job.epochRate });
    console.error(rows.at(-1));
  }
  console.log(
    JSON.stringify({
      engine: step.name,
      width: settings.width,
      loadingSeconds,
      loader: median(rows.map((row) => row.loader)),
      bare: median(rows.map((row) => row.bare)),
      job: median(rows.map((row) => row.job)),
      ratio: median(rows.map((row) => row.job / row.bare)),
      withValidation: median(rows.map((row) => row.epoch / row.bare)),
    }),
  );
} finally {
  await step.dispose();
  await engine.dispose();
  await rm(out, { recursive: true });
}
