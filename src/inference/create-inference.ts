import type { Engine, NetworkSource } from '../engine/engine.ts';
import type { Ensemble } from '../ensembles/ensemble.ts';
import { gridCrops } from '../image/crop-grid.ts';
import { decodeAtScales } from '../image/decode.ts';
import { readHeader } from '../image/header.ts';
import type { ImageLimits } from '../image/limits.ts';
import type { Picture } from '../image/picture.ts';
import type { Size } from '../image/rescale.ts';
import { classify, classMaps } from './classify.ts';
import type { Answer, ImageResult, Inference, InferenceObserver, InferenceOptions } from './inference.ts';
import { chooseOptions, networkId, type Plan, type PlanTask, planImage } from './jitter-plan.ts';
import { localise } from './localise.ts';
import { type ScaleOutputs, scaleOutputs } from './scale-outputs.ts';
import { joinOutputs, joinPixels } from './scheduling/batch.ts';
import { type BatchingOptions, createBatcher, type Reservation } from './scheduling/batcher.ts';
import { coveredMs } from './scheduling/covered.ts';
import { createLifetime, unlessAborted } from './scheduling/lifetime.ts';
import { createLimiter } from './scheduling/limiter.ts';
import type { ItemAnswer } from './scheduling/run-batch.ts';

export interface CreateInferenceOptions {
  readonly ensemble: Ensemble;
  /** Has the networks of {@link networkSources} loaded; is not disposed here. */
  readonly engine: Pick<Engine, 'run'>;
  /** Devices behind the engine: how many batches can run at a time. */
  readonly devices: number;
  readonly limits: ImageLimits;
  readonly batching: BatchingOptions;
  readonly observer?: InferenceObserver;
}

/** Images decoded at a time: libuv's threads, which do the decoding. Each may hold a picture of `maxPixels`. */
const maxDecodes = 4;

/** The networks of an ensemble as an engine loads them, under the ids that {@link createInference} calls them by. */
export function networkSources(ensemble: Ensemble): NetworkSource[] {
  return [...ensemble.classifiers, ...ensemble.localisers].map((network) => ({
    id: networkId(ensemble, network),
    spec: network.spec,
    preprocessing: network.preprocessing,
    weights: { path: network.path },
  }));
}

/** The way of an image: header, jitter plan, admission, decoding, batches, ensemble, boxes. */
export function createInference(options: CreateInferenceOptions): Inference {
  const { ensemble, engine, devices, limits, batching, observer } = options;
  const batcher = createBatcher({ ...batching, engine, devices, observer });
  const decodes = createLimiter(maxDecodes);

  return {
    queue: batcher.queue,
    async run(bytes, inferenceOptions, context) {
      chooseOptions(ensemble, inferenceOptions); // a wrong option is told before anything is read
      const lifetime = createLifetime(context);
      const { signal } = lifetime;
      let reservation: Reservation | undefined;
      try {
        const startedMs = performance.now();
        const image = await unlessAborted(readHeader(bytes, limits), signal);
        const plan = planImage(ensemble, inferenceOptions, image);
        reservation = batcher.admit(plan.work, context.deadline);
        const headerMs = performance.now() - startedMs;

        let decodeStartedMs = 0;
        // An aborted decoding keeps its place until libvips has done with it.
        const decoding = decodes.run(() => {
          decodeStartedMs = performance.now();
          return decodeAtScales(bytes, plan.summary.scales, limits);
        }, signal);
        const decoded = await unlessAborted(decoding, signal);
        const decodedMs = performance.now();
        const decodeMs = headerMs + decodedMs - decodeStartedMs;
        observer?.stage('decode', decodeMs / 1000);

        const answers = await runScales(plan, decoded.pictures, reservation, signal, (done) => {
          if (!context.onPartial) return;
          const scalesDone = done.map(({ scale }) => scale);
          context.onPartial({ scalesDone, result: resultOf(done, inferenceOptions, decoded) });
        });
        const answeredMs = performance.now();
        const inferenceMs = coveredMs(answers.intervals);
        return {
          result: resultOf(answers.scales, inferenceOptions, decoded),
          plan: plan.summary,
          timing: { decodeMs, queueMs: answeredMs - startedMs - decodeMs - inferenceMs, inferenceMs },
        } satisfies Answer;
      } catch (error) {
        lifetime.end(error); // the other scales of a failed image are dropped
        throw error;
      } finally {
        reservation?.release();
        lifetime.end();
      }
    },
  };

  /** Runs all tasks of a plan. `onScale` gets what is there after each scale but the last, in the plan's order. */
  async function runScales(
    plan: Plan,
    pictures: readonly Picture[],
    reservation: Reservation,
    signal: AbortSignal,
    onScale: (done: ScaleOutputs[]) => void,
  ): Promise<{ scales: ScaleOutputs[]; intervals: ItemAnswer[] }> {
    const outputs: (ScaleOutputs | undefined)[] = plan.scales.map(() => undefined);
    const intervals: ItemAnswer[] = [];
    const done = (): ScaleOutputs[] => outputs.filter((scale) => scale !== undefined);
    await Promise.all(
      plan.scales.map(async (scale, k) => {
        const answers = await Promise.all(
          scale.tasks.map((task) => runTask(task, pictures[k]!, reservation, signal)),
        );
        intervals.push(...answers.flat());
        outputs[k] = scaleOutputs(
          scale,
          answers.map((parts) => joinOutputs(parts.map((part) => part.outputs))),
        );
        if (done().length < plan.scales.length) onScale(done());
      }),
    );
    return { scales: done(), intervals };
  }

  /** One item, or of crops as many as their work needs to stay within a batch. */
  function runTask(
    task: PlanTask,
    picture: Picture,
    reservation: Reservation,
    signal: AbortSignal,
  ): Promise<ItemAnswer[]> {
    const { view, networks, height, width, flip, maps, work } = task;
    const ids = networks.map(({ id }) => id);
    const pictures = view === 'dense' ? [picture] : gridCrops(picture, ensemble.crop);
    const workOfOne = work / task.count;
    const items = chunksOf(pictures, Math.floor(batching.maxBatchWork / workOfOne)).map((chunk) => ({
      networks: ids,
      pixels: joinPixels(chunk.map(({ pixels }) => pixels)),
      count: chunk.length,
      height,
      width,
      flip,
      maps,
      work: workOfOne * chunk.length,
    }));
    return Promise.all(items.map((item) => reservation.run(item, signal)));
  }

  /** The same numbers whichever scale was done first: sums are in the plan's order. */
  function resultOf(
    scales: readonly ScaleOutputs[],
    { task, top, maps, boxes }: InferenceOptions,
    { width, height }: Size,
  ): ImageResult {
    const classes = classify(scales, ensemble.labels, top);
    const { crop } = ensemble;
    return {
      width,
      height,
      classes,
      ...(task === 'localise' && {
        detections: localise(scales, classes, { crop, image: { width, height }, boxes }),
      }),
      ...(maps && { maps: classMaps(scales, classes) }),
    };
  }
}

// --- helpers ---

/** Parts of nearly one length, of at most `most` and at least one each, in order. */
function chunksOf<T>(all: readonly T[], most: number): T[][] {
  const length = Math.ceil(all.length / Math.ceil(all.length / Math.max(1, most)));
  return Array.from({ length: Math.ceil(all.length / length) }, (_, k) =>
    all.slice(k * length, (k + 1) * length),
  );
}
