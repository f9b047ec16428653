import { isVerydeepError, VerydeepError } from '../../errors.ts';
import type { Device, HostPlacement } from '../devices.ts';
import type { Batch, Engine, NetworkOutput, NetworkSource } from '../engine.ts';
import { createDispatcher, type Lane } from './dispatcher.ts';
import { createPatience, type PatienceOptions } from './patience.ts';
import type { RemoteEngine } from './remote.ts';
import { type BackoffOptions, type HostEvent, superviseHost } from './supervisor.ts';

export interface EnginePoolOptions {
  /** One host each. */
  readonly placements: readonly HostPlacement[];
  readonly createEngine: (placement: HostPlacement) => Promise<RemoteEngine>;
  readonly backoff: BackoffOptions;
  /** With no live host for so long, work is refused with ENGINE_LOST until one is back. */
  readonly recoveryTimeoutMs: number;
  readonly patience: PatienceOptions;
  /** For logs and metrics; must not throw. */
  readonly onEvent?: (event: HostEvent) => void;
}

export interface HostState {
  readonly device: Device;
  readonly pid: number | undefined;
  readonly state: 'starting' | 'ready' | 'down';
  /** Processes started after the first. */
  readonly restarts: number;
  /** Resident memory at its last answer; 0 if there is no process. */
  readonly rssBytes: number;
  /** Batches sent and not answered. */
  readonly inFlight: number;
}

/**
 * An engine over several hosts: every network is loaded into each, a batch runs on the least loaded one. Work whose
 * host dies is tried once more, on a live host or on one that is back within `recoveryTimeoutMs`; then it rejects with
 * ENGINE_LOST.
 */
export interface EnginePool extends Engine {
  hosts(): HostState[];
  /** At least one host takes traffic. */
  ready(): boolean;
}

/** Starts all hosts. Throws, with none left running, where one cannot be started (DEVICE_UNAVAILABLE). */
export async function createEnginePool(options: EnginePoolOptions): Promise<EnginePool> {
  const { placements } = options;
  /** What every host has to have. */
  const networks = new Map<string, NetworkSource>();
  let engineName = '';

  async function prepare(engine: RemoteEngine): Promise<void> {
    engineName = engine.capabilities.engine;
    await synchronise(engine, networks);
    for (const network of networks.values()) await engine.run(warmUpBatch(network));
    await synchronise(engine, networks); // with what was loaded into the others meanwhile
  }

  const hosts = placements.map((placement) => {
    const { createEngine, backoff } = options;
    const supervisor = superviseHost({ placement, createEngine, prepare, backoff, onEvent });
    const lane: Lane = { inFlight: 0, isReady: () => supervisor.state() === 'ready' };
    return Object.assign(lane, { supervisor });
  });
  const dispatcher = createDispatcher(hosts, options.recoveryTimeoutMs);
  const patience = createPatience(options.patience);
  /** When each host gave its last answer to a batch. */
  const answeredMs = new Map<Lane, number>();
  const ready = (): boolean => hosts.some((host) => host.isReady());

  function onEvent(event: HostEvent): void {
    dispatcher.update();
    options.onEvent?.(event);
  }

  /** A host that is not ready, or dies meanwhile, is brought up to date before it takes traffic again. */
  async function synchroniseReady(): Promise<void> {
    const engines = hosts.filter((host) => host.isReady()).map(({ supervisor }) => supervisor.engine()!);
    await Promise.all(engines.map((engine) => synchronise(engine, networks).catch(rethrowUnlessLost)));
    if (!ready()) throw new VerydeepError('ENGINE_LOST', 'all engine hosts are down');
  }

  async function runOnce(batch: Batch): Promise<Map<string, NetworkOutput>> {
    const host = await dispatcher.enter();
    try {
      const enteredMs = performance.now();
      const outputs = await host.supervisor.engine()!.run(batch, patience.timeoutFor(batch));
      const doneMs = performance.now();
      // A host answers in order: what a batch waited for the one before it is not its own time.
      patience.took(batch, doneMs - Math.max(enteredMs, answeredMs.get(host) ?? 0));
      answeredMs.set(host, doneMs);
      host.supervisor.served();
      return outputs;
    } finally {
      dispatcher.leave(host);
    }
  }

  async function dispose(): Promise<void> {
    dispatcher.close();
    await Promise.all(hosts.map(({ supervisor }) => supervisor.dispose()));
  }

  const starts = await Promise.allSettled(hosts.map(({ supervisor }) => supervisor.started));
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed) {
    await dispose();
    throw failed.reason;
  }

  return {
    capabilities: {
      engine: engineName,
      device: placements.map(({ device }) => device).join(','),
      threads: placements.reduce((sum, { threads }) => sum + threads, 0),
    },
    async load(network) {
      const previous = networks.get(network.id);
      networks.set(network.id, network);
      try {
        await synchroniseReady();
      } catch (error) {
        if (previous) networks.set(network.id, previous);
        else networks.delete(network.id);
        await synchroniseReady().catch(rethrowUnlessLost);
        throw error;
      }
    },
    async run(batch) {
      try {
        return await runOnce(batch);
      } catch (error) {
        rethrowUnlessLost(error);
        return runOnce(batch);
      }
    },
    async unload(id) {
      networks.delete(id);
      await synchroniseReady().catch(rethrowUnlessLost);
    },
    dispose,
    ready,
    hosts: () =>
      hosts.map(({ supervisor, inFlight }) => ({
        device: supervisor.placement.device,
        pid: supervisor.engine()?.pid,
        state: supervisor.state(),
        restarts: supervisor.restarts(),
        rssBytes: supervisor.engine()?.rssBytes() ?? 0,
        inFlight,
      })),
  };
}

// --- helpers ---

/** What each process has loaded. */
const loadedInto = new WeakMap<RemoteEngine, Map<string, NetworkSource>>();

/**
 * Loads and unloads until `engine` has exactly `wanted`, which may change meanwhile. A network counts as loaded once it
 * is sent: a host answers in order, so whatever is sent later finds it.
 */
async function synchronise(engine: RemoteEngine, wanted: ReadonlyMap<string, NetworkSource>): Promise<void> {
  const loaded = loadedInto.get(engine) ?? new Map<string, NetworkSource>();
  loadedInto.set(engine, loaded);
  for (;;) {
    const missing = [...wanted.values()].find((network) => loaded.get(network.id) !== network);
    const extra = [...loaded.keys()].find((id) => !wanted.has(id));
    if (missing !== undefined) {
      loaded.set(missing.id, missing);
      await engine.load(missing).catch((error: unknown) => {
        loaded.delete(missing.id);
        throw error;
      });
    } else if (extra !== undefined) {
      loaded.delete(extra);
      await engine.unload(extra);
    } else return;
  }
}

/** One grey picture of the network's own crop. */
function warmUpBatch({ id, spec: { crop } }: NetworkSource): Batch {
  const pixels = new Uint8Array(crop * crop * 3).fill(127);
  return { networks: [id], pixels, count: 1, height: crop, width: crop, flip: false, maps: false };
}

function rethrowUnlessLost(error: unknown): void {
  if (!isVerydeepError(error, 'ENGINE_LOST')) throw error;
}
