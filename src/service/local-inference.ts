import { createDecoders, type Decoders, defaultDecoders } from '../decoding/decoders.ts';
import { parseDevices } from '../engine/devices.ts';
import { type HostsOptions, startHosts } from '../engine/hosts/start.ts';
import type { Ensemble, EnsembleNetwork } from '../ensembles/ensemble.ts';
import { loadEnsemble } from '../ensembles/load.ts';
import { type ImageLimits, ownImageLimits } from '../image/limits.ts';
import { createFeatureExtractor, type FeatureExtractor, featureSources } from '../inference/features.ts';
import type { Inference } from '../inference/inference.ts';
import { chooseOptions } from '../inference/jitter-plan.ts';
import { type InferenceOptions, readImageOptions } from '../inference/options.ts';
import { createScheduler, type Scheduler } from '../inference/scheduling/scheduler.ts';
import { createDeployment } from '../serving/deployment.ts';

export interface LocalOptions extends HostsOptions {
  /** Folder of ensembles. */
  readonly weights: string;
  readonly ensemble: string;
  /** A number, `stable` or `latest`. */
  readonly version: string;
  /** Those of files of one's own when omitted. */
  readonly limits?: ImageLimits;
}

/** An ensemble on engine hosts of its own, for a program that answers images without a service. */
export interface LocalInference {
  readonly ensemble: Ensemble;
  readonly inference: Inference;
  /** Images to work on at once: enough to decode and to batch while the devices compute. */
  readonly concurrency: number;
  /** Waits for the answers under way. */
  dispose(): Promise<void>;
}

/** Throws INVALID_WEIGHTS, INVALID_SETTINGS (devices), DEVICE_UNAVAILABLE. */
export async function openInference(options: LocalOptions): Promise<LocalInference> {
  const ensemble = await loadEnsemble(options.weights, options.ensemble, options.version);
  const { scheduler, decoders, concurrency } = localScheduling(options);
  const deployment = createDeployment({
    ensemble,
    startHosts: () => startHosts({ ...options, outputs: ['maps'] }),
    scheduler,
    decoders,
    isWarmedUp: false, // nobody measures the time of the first image
  });
  const dispose = async (): Promise<void> => {
    await deployment.dispose();
    await decoders.dispose();
  };
  await deployment.ready.catch(async (error: unknown) => {
    await dispose();
    throw error;
  });
  return { ensemble, inference: deployment, concurrency, dispose };
}

/** What is made of each image. */
export type LocalFeatureOptions = Pick<InferenceOptions, 'flip' | 'scales' | 'networks'>;

/** Classification networks of an ensemble without their last layer, on engine hosts of their own. */
export interface LocalFeatures {
  readonly ensemble: Ensemble;
  readonly networks: readonly EnsembleNetwork[];
  readonly scales: readonly number[];
  readonly extract: FeatureExtractor;
  /** See {@link LocalInference}. */
  readonly concurrency: number;
  /** Answers under way reject. */
  dispose(): Promise<void>;
}

/** Throws as {@link openInference} does, and INVALID_OPTION. */
export async function openFeatureExtractor(
  options: LocalOptions & LocalFeatureOptions,
): Promise<LocalFeatures> {
  const { flip, scales: asked, networks: names } = options;
  const ensemble = await loadEnsemble(options.weights, options.ensemble, options.version);
  const chosen = readImageOptions('classify', { flip, scales: asked, networks: names });
  const { scales, classifiers: networks } = chooseOptions(ensemble, chosen);
  const engine = await startHosts({ ...options, outputs: ['features'] });
  try {
    for (const source of featureSources(networks)) await engine.load(source);
  } catch (error) {
    await engine.dispose();
    throw error;
  }
  const { scheduler, decoders, concurrency } = localScheduling(options);
  return {
    ensemble,
    networks,
    scales,
    extract: createFeatureExtractor({ engine, scheduler, decoders, networks, scales, flip }),
    concurrency,
    async dispose() {
      await Promise.all([engine.dispose(), decoders.dispose()]);
    },
  };
}

// --- helpers ---

/** Of a file that the operator has on disk, in milliseconds. */
const decodeTimeoutMs = 120_000;
const imagesPerDevice = 4;

/** Everything is admitted, and nothing waits for company: the caller decides how many images there are at once. */
function localScheduling({ devices: list, limits = ownImageLimits }: LocalOptions): {
  scheduler: Scheduler;
  decoders: Decoders;
  concurrency: number;
} {
  const devices = parseDevices(list).length;
  return {
    scheduler: createScheduler({
      devices,
      batching: { batchDelayMs: 0, maxBatchWork: 2e12, maxQueueWork: Number.POSITIVE_INFINITY },
    }),
    decoders: createDecoders({
      processes: defaultDecoders(),
      limits,
      timeoutMs: decodeTimeoutMs,
    }),
    concurrency: imagesPerDevice * devices,
  };
}
