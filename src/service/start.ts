import { setTimeout as delay } from 'node:timers/promises';
import { createDecoders, defaultDecoders } from '../decoding/decoders.ts';
import { parseDevices } from '../engine/devices.ts';
import { startHosts } from '../engine/hosts/start.ts';
import type { Ensemble } from '../ensembles/ensemble.ts';
import { loadEnsemble } from '../ensembles/load.ts';
import { messageOf, VerydeepError } from '../errors.ts';
import { createScheduler } from '../inference/scheduling/scheduler.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { type App, createApp } from '../server/app.ts';
import { type Doors, loopbackNames } from '../server/doors.ts';
import { createMetrics } from '../server/operations/metrics.ts';
import { createDeployment } from '../serving/deployment.ts';
import { createRegistry } from '../serving/registry.ts';
import { startJobs } from './jobs.ts';
import type { Settings } from './settings.ts';
import { packageWeights } from './weights-folder.ts';

export interface Service {
  /** Fulfilled when it answers images; rejects if it cannot. */
  readonly ready: Promise<void>;
  /**
   * Not ready from now on; after `delayMs`, in which balancers notice, no connection is accepted any more; ends when all
   * that was accepted is answered.
   */
  stop(delayMs: number): Promise<void>;
}

/**
 * Listens at once, so that probes are answered, and then loads the ensemble. Throws INVALID_WEIGHTS, and
 * INVALID_SETTINGS if it cannot listen.
 */
export async function startService(settings: Settings): Promise<Service> {
  const { weightsDir = packageWeights, adminToken: token, ensembleVersion } = settings;
  const ensemble = await loadEnsemble(weightsDir, settings.ensemble, ensembleVersion);
  const early: LogLine[] = [];
  let log = (line: LogLine): unknown => early.push(line); // jobs begin before there is a log
  const jobs = token === undefined ? undefined : await startLoggedJobs(settings, (line) => log(line));

  const scheduler = createScheduler({
    devices: parseDevices(settings.devices).length,
    batching: {
      batchDelayMs: settings.batchDelayMs,
      maxBatchWork: settings.maxBatchGflops * 1e9,
      maxQueueWork: settings.maxQueueGflops * 1e9,
    },
  });
  const registry = createRegistry({ ensemble: settings.ensemble, version: ensembleVersion });
  const metrics = createMetrics({
    queue: scheduler.queue,
    deployments: registry.deployments,
    jobs: () => jobs,
  });
  const app = await createApp({
    serving: registry,
    metrics,
    limits: settings,
    doors: doorsOf(settings),
    ...(token !== undefined && jobs && { admin: { token, jobs } }),
    logLevel: settings.logLevel,
  });
  log = (line) => line(app.log);
  for (const line of early) log(line);
  const address = await listen(app, settings, jobs);

  const decoders = createDecoders({
    processes: settings.decoders || defaultDecoders(),
    limits: settings,
    timeoutMs: settings.decodeTimeoutMs,
  });
  const deployment = createDeployment({
    ensemble,
    startHosts: () => startLoggedHosts(app, settings),
    scheduler,
    decoders,
    observer: metrics.observerOf(ensemble),
  });
  registry.add(deployment, ensembleVersion === ensemble.version ? [] : [ensembleVersion]);

  return {
    ready: deployment.ready.then((capabilities) => {
      app.log.info({ ...capabilities, ...logged(ensemble), address }, 'ready');
    }),
    async stop(delayMs) {
      registry.stop();
      app.log.info({ delayMs }, 'stopping');
      await Promise.all([delay(delayMs), jobs?.stop()]);
      await app.close();
      await registry.dispose();
      await decoders.dispose();
    },
  };
}

// --- helpers ---

async function listen(app: App, { host, port }: Settings, jobs: Jobs | undefined): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (cause) {
    await jobs?.stop();
    const message = `HOST, PORT: cannot listen on ${host}, port ${port}: ${messageOf(cause)}`;
    throw new VerydeepError('INVALID_SETTINGS', message, { cause });
  }
}

/** Writes one line. */
type LogLine = (log: App['log']) => void;

/** The queue of jobs, whose states and errors are logged. */
function startLoggedJobs(settings: Settings, log: (line: LogLine) => void): Promise<Jobs> {
  return startJobs(settings, {
    onError: (error) => log((lines) => lines.error({ err: error }, 'the queue of jobs')),
    onState({ id, type, dataset, ensemble }, { type: _, state, ...event }) {
      const level = state === 'failed' ? 'warn' : 'info';
      const line = { job: id, type, dataset, ensemble, state, ...event };
      log((lines) => lines[level](line, `job ${state}`));
    },
  });
}

/** A service for its own machine is known by the machine's own names. */
function doorsOf({ host, allowedHosts, allowedOrigins }: Settings): Doors {
  const own = loopbackNames.includes(host as never) || host === '::1';
  const hosts = own ? [...loopbackNames, ...allowedHosts] : allowedHosts;
  return { origins: allowedOrigins, ...(hosts.length > 0 && { hosts }) };
}

/** Engine hosts, one a device, whose starts and deaths are logged. */
function startLoggedHosts(app: App, settings: Settings) {
  const { engine, devices, threads, precision, onednnLibrary } = settings;
  return startHosts({
    engine,
    devices,
    threads,
    precision,
    libraryPath: onednnLibrary,
    outputs: ['maps'],
    onChoice: (reason) => app.log.info(reason),
    onEvent: ({ type, pid, ...event }) =>
      app.log[type === 'ready' ? 'info' : 'error']({ ...event, hostPid: pid }, `engine host ${type}`),
  });
}

function logged({ name, version, digest }: Ensemble) {
  return { ensemble: name, version, digest };
}
