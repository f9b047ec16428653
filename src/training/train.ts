import type { Engine } from '../engine/engine.ts';
import type { CreatePlacedStep, TrainingStep } from '../engine/training-step.ts';
import type { StoredNetwork } from '../ensembles/network.ts';
import { VerydeepError } from '../errors.ts';
import type { ImageLimits } from '../image/limits.ts';
import { parameterCount } from '../network/measures.ts';
import type { WeightSources } from '../network/weights.ts';
import { type CheckpointHeader, readCheckpoint } from './checkpoint.ts';
import { type Dataset, loadDataset } from './dataset.ts';
import type { OnTrainingEvent } from './events.ts';
import { finishRun } from './finish.ts';
import { trainingLoop } from './loop.ts';
import { logEvent, openRunFolder, type RunFolder, saveCheckpoint } from './run-folder.ts';
import { initialScheduleState, learningRate, parseSchedule } from './schedule.ts';
import { decisive, parseSettings, type TrainingSettings, validationScale } from './settings.ts';
import { type FindSource, startingPoint } from './start.ts';

export interface TrainOptions {
  readonly settings: TrainingSettings;
  /** Folder of the run: checkpoints, log, and at the end the network. */
  readonly out: string;
  /** Go on from the folder's checkpoint. Its settings must be the same but for the number of epochs. */
  readonly resume: boolean;
  /** The command as typed, for the network's provenance. */
  readonly command: string;
  readonly findSource: FindSource;
  readonly createStep: CreatePlacedStep;
  /** Runs the validation; is disposed of at the end. */
  readonly engine: Engine;
  readonly limits: ImageLimits;
  readonly onEvent: OnTrainingEvent;
  readonly signal: AbortSignal;
}

/** Caffe's SGD of the paper (3.1). */
const momentum = 0.9;
const weightDecay = 5e-4;

/**
 * Trains one network and leaves its folder as said in {@link RunFolder}. Returns the best network, or
 * `undefined` if it was interrupted (a checkpoint is there). Throws INVALID_DATASET, INVALID_SETTINGS,
 * INVALID_WEIGHTS, TRAINING_DIVERGED, DISK_FULL.
 */
export async function train(options: TrainOptions): Promise<StoredNetwork | undefined> {
  const { settings, limits, signal, engine } = options;
  const folder = await openRunFolder(options.out, options.resume);
  const onEvent: OnTrainingEvent = (event) => {
    logEvent(folder, event);
    options.onEvent(event);
  };

  const dataset = await loadDataset({
    data: settings.data,
    list: settings.list,
    scales: { train: settings.scale.max, validation: validationScale(settings) },
    boxes: settings.head !== 'classes',
    maxBrokenShare: settings.skipBroken,
    cacheBytes: settings.cacheMb * 2 ** 20,
    limits,
    onProgress: (done, total) => onEvent({ type: 'loading', done, total }),
  });
  const { labels, train: pictures, validation, skipped, digest } = dataset;
  onEvent({
    type: 'dataset',
    classes: labels.length,
    train: pictures.length,
    validation: validation.length,
    skipped,
    digest,
  });

  let step: TrainingStep | undefined;
  try {
    const begin = await createStep(options, folder, dataset);
    const { header } = begin;
    step = begin.step;
    onEvent({
      type: 'start',
      engine: step.name,
      parameters: parameterCount(header.spec),
      epochs: settings.epochs,
      epoch: header.state.epoch,
      step: header.state.step,
    });
    // From here on there is always a checkpoint, and a disk that is too small is found before the first step.
    if (!options.resume) {
      await saveCheckpoint(folder, { header, weights: await step.readWeights() }, onEvent);
    }
    const state = await trainingLoop({ header, dataset, step, engine, folder, limits, onEvent, signal });
    if (state.epoch <= settings.epochs) return undefined;
    const network = await finishRun(folder, { ...header, state }, options.command);
    const { digest: checkpoint } = await readCheckpoint(folder.checkpoint);
    onEvent({ type: 'done', ...state.best!, checkpoint });
    return network;
  } finally {
    await step?.dispose();
    await engine.dispose();
  }
}

// --- helpers ---

/** The step, fresh or as its checkpoint says. What it was made from is not held on to: it is as large as the network. */
async function createStep(
  options: TrainOptions,
  folder: RunFolder,
  dataset: Dataset,
): Promise<{ header: CheckpointHeader; step: TrainingStep }> {
  const { settings } = options;
  const { header, weights, velocity } = options.resume
    ? await resumed(folder.checkpoint, settings, dataset)
    : await fresh(settings, dataset, options.findSource);
  const step = await options.createStep({
    spec: header.spec,
    preprocessing: header.preprocessing,
    weights,
    ...(velocity && { velocity }),
    microBatch: settings.microBatch ?? settings.batch,
    momentum,
    weightDecay,
    trainable: settings.trainable,
    precision: settings.precision,
    threads: settings.threads,
  });
  return { header, step };
}

/** Where a training begins. */
interface Beginning {
  readonly header: CheckpointHeader;
  readonly weights: WeightSources;
  readonly velocity?: WeightSources;
}

async function fresh(
  settings: TrainingSettings,
  dataset: Dataset,
  findSource: FindSource,
): Promise<Beginning> {
  const { weights, ...network } = await startingPoint(settings, dataset, findSource);
  const state = { epoch: 1, step: 0, lossSum: 0, schedule: initialScheduleState };
  const rate = learningRate(parseSchedule(settings.rate, settings.patience), state.epoch, state.schedule);
  const { labels, digest: datasetDigest, colours } = dataset;
  return {
    header: { format: 2, settings, ...network, labels, datasetDigest, colours, state, learningRate: rate },
    weights,
  };
}

/** The checkpoint with the settings of now, which may ask for more epochs; the rest and the data must be the same. */
async function resumed(path: string, settings: TrainingSettings, dataset: Dataset): Promise<Beginning> {
  const checkpoint = await readCheckpoint(path);
  const { header } = checkpoint;
  const now: Record<string, unknown> = decisive(settings);
  // A setting that is younger than the checkpoint had its default.
  const defaults = parseSettings({ data: header.settings.data });
  const before: Record<string, unknown> = decisive({ ...defaults, ...header.settings });
  const changed = Object.keys({ ...before, ...now }).filter(
    (key) => JSON.stringify(now[key]) !== JSON.stringify(before[key]),
  );
  if (changed.length > 0) {
    const reason = `expected the settings of the checkpoint ${path}, these differ: ${changed.join(', ')}`;
    throw new VerydeepError('INVALID_SETTINGS', reason);
  }
  if (header.datasetDigest !== dataset.digest) {
    const reason = `expected the data set of the checkpoint, ${header.datasetDigest}, received ${dataset.digest}`;
    throw new VerydeepError('INVALID_DATASET', reason);
  }
  return { ...checkpoint, header: { ...header, settings } };
}
