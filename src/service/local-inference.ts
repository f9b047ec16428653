import { createDecoders, defaultDecoders } from '../decoding/decoders.ts';
import { type HostsOptions, startHosts } from '../engine/hosts/start.ts';
import type { Ensemble } from '../ensembles/ensemble.ts';
import { loadEnsemble } from '../ensembles/load.ts';
import { ownImageLimits } from '../image/limits.ts';
import { createInference } from '../inference/create-inference.ts';
import type { Inference } from '../inference/inference.ts';
import { networkSources } from '../inference/network-sources.ts';
import { createScheduler } from '../inference/scheduling/scheduler.ts';

export interface LocalInferenceOptions extends HostsOptions {
  /** Folder of ensembles. */
  readonly weights: string;
  readonly ensemble: string;
  /** A number, `stable` or `latest`. */
  readonly version: string;
}

/** An ensemble on engine hosts, for a command that answers or measures local images. */
export interface LocalInference {
  readonly ensemble: Ensemble;
  readonly inference: Inference;
  /** Images to work on at once: enough to decode and to batch while the devices compute. */
  readonly concurrency: number;
  dispose(): Promise<void>;
}

/** Of a file that the operator has on disk, in milliseconds. */
const ownTimeoutMs = 120_000;

/** Throws INVALID_WEIGHTS, INVALID_SETTINGS (devices), DEVICE_UNAVAILABLE. */
export async function openInference(options: LocalInferenceOptions): Promise<LocalInference> {
  const ensemble = await loadEnsemble(options.weights, options.ensemble, options.version);
  const decoders = createDecoders({
    processes: defaultDecoders(),
    limits: ownImageLimits,
    timeoutMs: ownTimeoutMs,
  });
  const engine = await startHosts(options).catch(async (error: unknown) => {
    await decoders.dispose();
    throw error;
  });
  const dispose = async (): Promise<void> => {
    await Promise.all([engine.dispose(), decoders.dispose()]);
  };
  try {
    for (const network of networkSources(ensemble)) await engine.load(network);
  } catch (error) {
    await dispose();
    throw error;
  }
  const devices = engine.hosts().length;
  const scheduler = createScheduler({
    devices,
    batching: { batchDelayMs: 0, maxBatchWork: 2e12, maxQueueWork: Number.POSITIVE_INFINITY },
  });
  const inference = createInference({ ensemble, engine, scheduler, decoders });
  return { ensemble, inference, concurrency: 4 * devices, dispose };
}
