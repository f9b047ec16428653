import type { Decoders } from '../decoding/decoders.ts';
import type { Engine } from '../engine/engine.ts';
import type { Ensemble } from '../ensembles/ensemble.ts';
import type { Size } from '../image/rescale.ts';
import type { Answer, ImageResult } from './answer.ts';
import { classify, classMaps } from './classify.ts';
import type { Inference, RequestContext } from './inference.ts';
import { type ChosenOptions, chooseOptions, planImage } from './jitter-plan.ts';
import { unlessAborted, withLifetime } from './lifetime.ts';
import { localise } from './localise.ts';
import { runPlan } from './run-plan.ts';
import type { ScaleOutputs } from './scale-outputs.ts';
import type { Reservation } from './scheduling/admission.ts';
import type { InferenceObserver } from './scheduling/observer.ts';
import { coveredMs } from './scheduling/run-batch.ts';
import type { Scheduler } from './scheduling/scheduler.ts';

export interface CreateInferenceOptions {
  readonly ensemble: Ensemble;
  /** Has the networks of `networkSources` loaded; is not disposed here. */
  readonly engine: Pick<Engine, 'run'>;
  /** Of the devices that the engine computes on; shared with all other versions on them. */
  readonly scheduler: Scheduler;
  /** Shared with all other versions. */
  readonly decoders: Decoders;
  readonly observer?: InferenceObserver | undefined;
}

/** The way of an image through one version: header, jitter plan, admission, decoding, batches, ensemble, boxes. */
export function createInference({
  ensemble,
  engine,
  scheduler,
  decoders,
  observer,
}: CreateInferenceOptions): Inference {
  const runner = { engine, scheduler, crop: ensemble.crop, observer };

  async function answer(
    bytes: Uint8Array,
    options: ChosenOptions,
    signal: AbortSignal,
    { client, deadline, onPartial }: Omit<RequestContext, 'signal'>,
  ): Promise<Answer> {
    const startedMs = performance.now();
    let reservation: Reservation | undefined;
    try {
      const decoding = decoders.use(bytes, { client, signal }, async (image) => {
        const plan = planImage(ensemble, options, image.header);
        reservation = scheduler.admit({ work: plan.work, deadline });
        const decoded = await image.decode(options.scales);
        return { plan, reservation, decoded, decodeMs: image.spentMs() };
      });
      const { plan, decoded, decodeMs, ...admitted } = await unlessAborted(decoding, signal);
      observer?.stage('decode', decodeMs / 1000);

      const { scales, intervals } = await runPlan(runner, plan, decoded.pictures, {
        ...admitted,
        client,
        signal,
        onScale: (done) =>
          onPartial?.({
            scalesDone: done.map(({ scale }) => scale),
            result: resultOf(ensemble, options, decoded, done),
          }),
      });
      const answeredMs = performance.now();
      const inferenceMs = coveredMs(intervals);
      return {
        result: resultOf(ensemble, options, decoded, scales),
        plan: plan.summary,
        timing: { decodeMs, queueMs: answeredMs - startedMs - decodeMs - inferenceMs, inferenceMs },
      };
    } finally {
      reservation?.release();
    }
  }

  return {
    async run(bytes, options, context) {
      const chosen = chooseOptions(ensemble, options); // a wrong option is told before anything is read
      return withLifetime(context, (signal) => answer(bytes, chosen, signal, context));
    },
  };
}

// --- helpers ---

/** The same numbers whichever scale was done first: sums are in the plan's order. */
function resultOf(
  { labels, crop }: Ensemble,
  { task, top, maps, boxes }: ChosenOptions,
  { width, height }: Size,
  scales: readonly ScaleOutputs[],
): ImageResult {
  const classes = classify(scales, labels, top);
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
