import { setImmediate } from 'node:timers/promises';
import type { Engine } from '../engine/engine.ts';
import type { TrainingStep } from '../engine/training-step.ts';
import { writeSafetensors } from '../formats/safetensors/write.ts';
import type { ImageLimits } from '../image/limits.ts';
import type { WeightSources } from '../network/weights.ts';
import { type BatchPlan, stepsPerEpoch } from './batch.ts';
import { isChance } from './chance.ts';
import type { CheckpointHeader, TrainingState } from './checkpoint.ts';
import type { Dataset } from './dataset.ts';
import { diverged, notFinite } from './divergence.ts';
import type { OnTrainingEvent } from './events.ts';
import { dropNetworks } from './finish.ts';
import { createBatchLoader } from './loader.ts';
import { networkOf, type RunFolder, saveCheckpoint } from './run-folder.ts';
import { afterValidation, learningRate, parseSchedule } from './schedule.ts';
import { validationScale } from './settings.ts';
import { createSpeedometer } from './speedometer.ts';
import { validate } from './validate.ts';

export interface LoopOptions {
  /** What checkpoints say; its `state` is where the loop starts. */
  readonly header: CheckpointHeader;
  readonly dataset: Dataset;
  /** Holds the weights and velocity of `header.state`. */
  readonly step: TrainingStep;
  /** Runs the validation. */
  readonly engine: Engine;
  readonly folder: RunFolder;
  readonly limits: ImageLimits;
  readonly onEvent: OnTrainingEvent;
  /** Aborted: the step under way is finished, a checkpoint written, and the loop ends. */
  readonly signal: AbortSignal;
}

/** Within a long epoch a checkpoint is written after so much time. */
const checkpointMs = 600_000;

/**
 * Trains to the last epoch of the settings (paper, section 3) and returns the state after it, or where it was
 * interrupted. Throws TRAINING_DIVERGED, and DISK_FULL; the checkpoints on disk stay as they were.
 */
export async function trainingLoop(options: LoopOptions): Promise<TrainingState> {
  const { header, dataset, step, engine, folder, limits, onEvent, signal } = options;
  const { settings, spec, preprocessing } = header;
  const { batch, microBatch = batch, crop, scale, seed, fc, epochs } = settings;
  const schedule = parseSchedule(settings.rate, settings.patience);
  const steps = stepsPerEpoch(dataset.train.length, batch);
  const parts = batch / microBatch;
  const plan: BatchPlan = { seed, crop, scale, batch, microBatch, fc, colours: header.colours };

  let state = header.state;
  let savedAtMs = performance.now();
  const rateNow = (): number => learningRate(schedule, state.epoch, state.schedule);
  const read = async (): Promise<{ weights: WeightSources; velocity: WeightSources }> => {
    const [weights, velocity] = [await step.readWeights(), await step.readVelocity()];
    const broken = notFinite(weights, velocity); // ReLU and max-pooling may hide it from the loss
    if (broken !== undefined) throw diverged(`${broken} is not finite`, state, rateNow());
    return { weights, velocity };
  };
  const headerNow = (): CheckpointHeader => ({ ...header, state, learningRate: rateNow() });
  const save = async (network: { weights: WeightSources; velocity: WeightSources }): Promise<void> => {
    await saveCheckpoint(folder, { header: headerNow(), ...network }, onEvent);
    savedAtMs = performance.now();
  };
  const speed = createSpeedometer((epochs - state.epoch + 1) * steps - state.step);
  const loader = createBatchLoader(plan, dataset.train, limits, state);
  try {
    while (state.epoch <= epochs) {
      const { epoch } = state;
      const rate = rateNow();

      while (state.step < steps) {
        let loss = 0;
        for (let part = 0; part < parts; part++) {
          loss += (await step.accumulate(await loader.next(), 1 / parts)) / parts;
        }
        if (!Number.isFinite(loss)) throw diverged(`the loss is ${loss}`, state, rate);
        await step.update(rate);
        state = { ...state, step: state.step + 1, lossSum: state.lossSum + loss };
        const meanLoss = state.lossSum / state.step;
        onEvent({ type: 'step', epoch, step: state.step, steps, loss: meanLoss, rate, ...speed.step(batch) });
        await setImmediate(); // steps block: signals and messages are heard between them
        if (signal.aborted) {
          await save(await read());
          onEvent({ type: 'interrupted', epoch, step: state.step });
          return state;
        }
        if (performance.now() - savedAtMs >= checkpointMs) await save(await read());
      }

      const network = await read();
      const { weights } = network;
      await engine.load({ id: 'training', spec, preprocessing, weights });
      const q = validationScale(settings);
      const result = await validate(engine, 'training', dataset.validation, { scale: q, crop, limits });
      if (!Number.isFinite(result.loss)) throw diverged(`the validation loss is ${result.loss}`, state, rate);

      const isBest = result.accuracy > (state.best?.accuracy ?? -1);
      const trainingLoss = state.lossSum / steps;
      const atChance = isChance(spec, Math.min(trainingLoss, result.loss)) && { atChance: true };
      onEvent({ type: 'epoch', epoch, rate, trainingLoss, best: isBest, ...atChance, ...result });
      state = {
        epoch: epoch + 1,
        step: 0,
        lossSum: 0,
        schedule: afterValidation(schedule, state.schedule, result.accuracy),
        ...(isBest ? { best: { ...result, epoch } } : state.best && { best: state.best }),
      };
      // The best one first: a kill between the two writes repeats the end of the epoch, and loses nothing. The one before
      // goes when no checkpoint means it any more.
      if (isBest) await writeSafetensors(networkOf(folder, epoch), weights);
      await save(network);
      if (isBest) await dropNetworks(folder, epoch);
    }
    return state;
  } finally {
    await loader.close();
  }
}
