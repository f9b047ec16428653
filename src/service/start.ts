import { setTimeout as delay } from 'node:timers/promises';
import { parseDevices } from '../engine/devices.ts';
import type { EnginePool } from '../engine/hosts/pool.ts';
import { startHosts } from '../engine/hosts/start.ts';
import { loadEnsemble } from '../ensembles/load.ts';
import { messageOf, VerydeepError } from '../errors.ts';
import { createInference } from '../inference/create-inference.ts';
import type { Inference } from '../inference/inference.ts';
import { networkSources } from '../inference/network-sources.ts';
import { createScheduler } from '../inference/scheduling/scheduler.ts';
import { createApp } from '../server/app.ts';
import { createMetrics } from '../server/operations/metrics.ts';
import { startJobs } from './jobs.ts';
import type { Settings } from './settings.ts';
import { warmUp } from './warm-up.ts';
import { packageWeights } from './weights-folder.ts';

export interface Service {
  /** Fulfilled when it answers images; rejects where it cannot. */
  readonly ready: Promise<void>;
  /**
   * Not ready from now on; after `delayMs`, in which balancers notice, no connection is accepted any more; ends when all
   * that was accepted is answered.
   */
  stop(delayMs: number): Promise<void>;
}

/**
 * Listens at once, so that probes are answered, and then starts the engine hosts and warms up. Throws INVALID_WEIGHTS,
 * and INVALID_SETTINGS where it cannot listen.
 */
export async function startService(settings: Settings): Promise<Service> {
  const { weightsDir = packageWeights, timeoutMs, logLevel } = settings;
  const ensemble = await loadEnsemble(weightsDir, settings.ensemble, settings.ensembleVersion);
  let pool: EnginePool | undefined;
  let inference: Inference = notYet;
  let state: 'starting' | 'serving' | 'stopping' = 'starting';

  const token = settings.adminToken;
  let logJobError = (error: unknown): void => console.error(messageOf(error));
  const jobs = token === undefined ? undefined : await startJobs(settings, (error) => logJobError(error));

  const scheduler = createScheduler({
    devices: parseDevices(settings.devices).length,
    batching: {
      batchDelayMs: settings.batchDelayMs,
      maxBatchWork: settings.maxBatchGflops * 1e9,
      maxQueueWork: settings.maxQueueGflops * 1e9,
    },
  });
  const metrics = createMetrics({
    queue: scheduler.queue,
    hosts: () => pool?.hosts() ?? [],
    jobs: () => jobs,
  });
  const app = await createApp({
    ensemble,
    inference: { run: (...call) => inference.run(...call) },
    isReady: () => state === 'serving' && pool?.ready() === true,
    metrics,
    limits: { ...settings, timeoutMs },
    ...(token !== undefined && jobs && { admin: { token, jobs } }),
    logLevel,
  });
  logJobError = (error) => app.log.error({ err: error }, 'the queue of jobs');
  const { host, port } = settings;
  const address = await app.listen({ host, port }).catch(async (cause: unknown) => {
    await jobs?.stop();
    const message = `HOST, PORT: cannot listen on ${host}, port ${port}: ${messageOf(cause)}`;
    throw new VerydeepError('INVALID_SETTINGS', message, { cause });
  });

  async function start(): Promise<void> {
    const { engine, devices, threads, precision, onednnLibrary } = settings;
    pool = await startHosts({
      engine,
      devices,
      threads,
      precision,
      ...(onednnLibrary !== undefined && { onednnLibrary }),
      onEvent: ({ type, pid, ...event }) =>
        app.log[type === 'ready' ? 'info' : 'error']({ ...event, hostPid: pid }, `engine host ${type}`),
    });
    for (const network of networkSources(ensemble)) await pool.load(network);
    inference = createInference({
      ensemble,
      engine: pool,
      scheduler,
      limits: settings,
      observer: metrics.observer,
    });
    await warmUp(inference, ensemble);
    if (state === 'starting') state = 'serving';
    const { name, version, digest } = ensemble;
    app.log.info({ ...pool.capabilities, ensemble: name, version, digest, address }, 'ready');
  }

  return {
    ready: start(),
    async stop(delayMs) {
      state = 'stopping';
      app.log.info({ delayMs }, 'stopping');
      await Promise.all([delay(delayMs), jobs?.stop()]);
      await app.close();
      await pool?.dispose();
    },
  };
}

// --- helpers ---

/** Before the engine is up. */
const notYet: Inference = {
  run: async () => {
    throw new VerydeepError('NOT_READY', 'the service is starting');
  },
};
