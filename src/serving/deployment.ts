import type { Decoders } from '../decoding/decoders.ts';
import type { EngineCapabilities } from '../engine/engine.ts';
import type { EnginePool, HostState } from '../engine/hosts/pool.ts';
import type { Ensemble } from '../ensembles/ensemble.ts';
import { VerydeepError } from '../errors.ts';
import { createInference } from '../inference/create-inference.ts';
import type { Inference } from '../inference/inference.ts';
import { networkSources } from '../inference/network-sources.ts';
import type { InferenceObserver } from '../inference/scheduling/observer.ts';
import { createScheduler, type Scheduler } from '../inference/scheduling/scheduler.ts';
import { warmUp } from './warm-up.ts';

/**
 * `loading` until a picture has gone the whole way, then `ready`, or `failed`; `stopping` at the end, when images are
 * still answered but no more should come.
 */
export type DeploymentState = 'loading' | 'ready' | 'failed' | 'stopping';

/** One version of an ensemble that is served, on engine hosts of its own. */
export interface Deployment extends Inference {
  readonly ensemble: Ensemble;
  state(): DeploymentState;
  /** Fulfilled, with what it runs on, when it is ready; rejects with the reason if it fails or is stopped before. */
  readonly ready: Promise<EngineCapabilities>;
  /** Whether it takes images now: its state is `ready`, and at least one of its hosts is up. */
  isReady(): boolean;
  /** None before they are started. */
  hosts(): readonly HostState[];
  /** Its state is `stopping` from now on. A load that is not done yet is given up. */
  stop(): void;
  /** Stops, takes no more images, waits for the answers under way, and ends the hosts. */
  dispose(): Promise<void>;
}

export interface DeploymentOptions {
  readonly ensemble: Ensemble;
  /** Starts hosts that nothing else runs on. */
  readonly startHosts: () => Promise<EnginePool>;
  /** Of the devices of those hosts. */
  readonly scheduler: Scheduler;
  readonly decoders: Decoders;
  readonly observer?: InferenceObserver;
  /** Whether a picture has to go the whole way before it is ready, so that no image meets a cold engine; true when omitted. */
  readonly isWarmedUp?: boolean;
}

/** Starts to load a version. Its `run` throws NOT_READY before it is ready and after it is disposed of. */
export function createDeployment(options: DeploymentOptions): Deployment {
  const { ensemble, scheduler, decoders, observer, isWarmedUp = true } = options;
  let state: DeploymentState = 'loading';
  let pool: EnginePool | undefined;
  let inference: Inference | undefined;
  const running = new Set<Promise<unknown>>();

  const notReady = (what: string): VerydeepError =>
    new VerydeepError('NOT_READY', `${ensemble.name} version ${ensemble.version} ${what}`);

  function throwIfStopped(): void {
    if (state === 'stopping') throw notReady('was stopped before it was ready');
  }

  async function load(): Promise<EngineCapabilities> {
    try {
      pool = await options.startHosts();
      throwIfStopped();
      for (const network of networkSources(ensemble)) await pool.load(network);
      if (isWarmedUp) await warmUp(warmingInference(pool), ensemble);
      throwIfStopped();
      inference = createInference({ ensemble, engine: pool, scheduler, decoders, observer });
      state = 'ready';
      return pool.capabilities;
    } catch (error) {
      if (state === 'loading') state = 'failed';
      await pool?.dispose();
      throwIfStopped(); // the hosts were ended under it
      throw error;
    }
  }

  /**
   * On a scheduler of its own: a full queue must not keep a version from becoming ready, and its first batches, which are
   * slow, are no measure of the rate.
   */
  function warmingInference(engine: EnginePool): Inference {
    const batching = { batchDelayMs: 0, maxBatchWork: scheduler.maxBatchWork, maxQueueWork: Infinity };
    const apart = createScheduler({ devices: engine.hosts().length, batching });
    return createInference({ ensemble, engine, scheduler: apart, decoders });
  }

  function stop(): void {
    if (state !== 'failed') state = 'stopping';
  }

  const ready = load();
  ready.catch(() => {}); // it is also told by `state`

  return {
    ensemble,
    state: () => state,
    ready,
    isReady: () => state === 'ready' && pool?.ready() === true,
    hosts: () => pool?.hosts() ?? [],
    async run(...call) {
      if (!inference) throw notReady(`is ${state}`);
      const answer = inference.run(...call);
      const settled: Promise<unknown> = answer.catch(() => {}).finally(() => running.delete(settled));
      running.add(settled);
      return answer;
    },
    stop,
    async dispose() {
      stop();
      inference = undefined;
      await Promise.all(running);
      await pool?.dispose();
    },
  };
}
