import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import type { Device, HostPlacement } from '../devices.ts';
import type { RemoteEngine } from './remote.ts';

/** The wait before a start doubles with each one in a row that served nothing. */
export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
}

export interface HostEvent {
  /** `ready`: takes traffic; `lost`: its process has ended; `failed`: it could not be started again. */
  readonly type: 'ready' | 'lost' | 'failed';
  readonly device: Device;
  readonly pid: number | undefined;
  /** Processes started after the first. */
  readonly restarts: number;
  /** Of `lost` and `failed`. */
  readonly reason?: string;
}

export interface SupervisorOptions {
  readonly placement: HostPlacement;
  readonly createEngine: (placement: HostPlacement) => Promise<RemoteEngine>;
  /** Makes a fresh engine fit for traffic: loads its networks and tries them. */
  readonly prepare: (engine: RemoteEngine) => Promise<void>;
  readonly backoff: BackoffOptions;
  readonly onEvent: (event: HostEvent) => void;
}

/** One host that is started again, with exponential back-off, whenever it dies. */
export interface Supervisor {
  readonly placement: HostPlacement;
  state(): 'starting' | 'ready' | 'down';
  /** Its present process, in state `ready` or `starting`. */
  engine(): RemoteEngine | undefined;
  restarts(): number;
  /** It has done real work: the next death is the first in a row again. */
  served(): void;
  /** Fulfilled when it is first ready; rejects, and nothing is tried again, if that fails. */
  readonly started: Promise<void>;
  dispose(): Promise<void>;
}

export function superviseHost(options: SupervisorOptions): Supervisor {
  const { placement, backoff } = options;
  const closing = new AbortController();
  let state: ReturnType<Supervisor['state']> = 'starting';
  let engine: RemoteEngine | undefined;
  let restarts = 0;
  let failures = 0;

  const report = (type: HostEvent['type'], reason?: string): void =>
    options.onEvent({
      type,
      device: placement.device,
      pid: engine?.pid,
      restarts,
      ...(reason !== undefined && { reason }),
    });

  const start = async (): Promise<RemoteEngine> => {
    state = 'starting';
    engine = await options.createEngine(placement);
    const { lost } = engine;
    closing.signal.throwIfAborted();
    await options.prepare(engine);
    lost.throwIfAborted();
    closing.signal.throwIfAborted();
    state = 'ready';
    // A listener acts at once, an await later: no batch may be sent to a process that is known to be dead.
    lost.addEventListener('abort', () => {
      state = 'down';
      if (!closing.signal.aborted) report('lost', lost.reason);
    });
    report('ready');
    return engine;
  };

  const clear = async (): Promise<void> => {
    state = 'down';
    await engine?.dispose();
    engine = undefined;
  };

  const restart = async (): Promise<void> => {
    await delay(backoffMs(backoff, ++failures), undefined, { signal: closing.signal });
    restarts++;
    try {
      await untilLost(await start());
    } catch (error) {
      if (!closing.signal.aborted) report('failed', messageOf(error));
    }
    await clear();
  };

  const started = start().then(
    () => {},
    async (error: unknown) => {
      await clear();
      throw error;
    },
  );
  const life = started
    .then(() => untilLost(engine!))
    .then(clear)
    .then(async () => {
      while (!closing.signal.aborted) await restart();
    })
    .catch(() => {}); // the first start failed (see `started`), or the wait was cut short

  return {
    placement,
    state: () => state,
    engine: () => engine,
    restarts: () => restarts,
    served: () => {
      failures = 0;
    },
    started,
    async dispose() {
      closing.abort();
      await engine?.dispose();
      await life;
    },
  };
}

/** Wait before start number `attempt` (from 1) in a row. */
export function backoffMs({ initialMs, maxMs }: BackoffOptions, attempt: number): number {
  return Math.min(maxMs, initialMs * 2 ** (attempt - 1));
}

// --- helpers ---

async function untilLost({ lost }: RemoteEngine): Promise<void> {
  if (!lost.aborted) await once(lost, 'abort');
}
