import { threadLimit } from '../../processes/threads.ts';
import { type HostPlacement, parseDevices, placeHosts } from '../devices.ts';
import type { Output } from '../engine-row.ts';
import { type EngineChoice, type EngineName, engines } from '../engines.ts';
import type { Precision } from '../precision.ts';
import { createEnginePool, type EnginePool } from './pool.ts';
import { createRemoteEngine } from './remote.ts';
import type { HostEvent } from './supervisor.ts';

export interface HostsOptions {
  readonly engine: EngineChoice;
  /** `cpu`, `cuda:0,cuda:1`, ... (`parseDevices`): one host each. */
  readonly devices: string;
  /** Threads of all cpu hosts together; 0 for as many as the process may use (`threadLimit`). */
  readonly threads: number;
  /** `fp32` when omitted. */
  readonly precision?: Precision;
  /** Path of the native library of an engine that takes one (oneDNN); searched for when omitted. */
  readonly libraryPath?: string | undefined;
  /** What is wanted besides posteriors. */
  readonly outputs?: readonly Output[];
  /** Told which engine `auto` took, and why. */
  readonly onChoice?: (reason: string) => void;
  readonly onEvent?: (event: HostEvent) => void;
}

/** A batch at the batcher's bound on a slow machine, or 550 MB of weights from a slow disk, takes less. */
const answerTimeoutMs = 300_000;

/** A host is not given up before, however small its batch: first runs of a shape and busy machines take seconds. */
const hungAfterMs = 10_000;

/**
 * Starts one engine host a device, with the pool's usual settings; `capabilities.engine` says which engine `auto` took.
 * Throws INVALID_SETTINGS (devices, precision) and DEVICE_UNAVAILABLE.
 */
export async function startHosts(options: HostsOptions): Promise<EnginePool> {
  const { engine: asked, precision = 'fp32', libraryPath, outputs } = options;
  const devices = parseDevices(options.devices);
  const placements = placeHosts(devices, options.threads || threadLimit());
  const wish = { engine: asked, devices, precision, libraryPath, outputs };
  const { value, reason } = await engines.take(wish, 'serving', (engine) =>
    startPool({ engine, precision, libraryPath }, placements, options.onEvent),
  );
  if (asked === 'auto') options.onChoice?.(reason);
  return value;
}

// --- helpers ---

function startPool(
  computing: { engine: EngineName; precision: Precision; libraryPath: string | undefined },
  placements: readonly HostPlacement[],
  onEvent: HostsOptions['onEvent'],
): Promise<EnginePool> {
  return createEnginePool({
    placements,
    // Images are decoded on the same cores: threads that spin would slow that down.
    createEngine: (placement) =>
      createRemoteEngine({ ...computing, ...placement, sharedCores: true, answerTimeoutMs }),
    backoff: { initialMs: 100, maxMs: 30_000 },
    recoveryTimeoutMs: 30_000,
    patience: { untriedMs: answerTimeoutMs, floorMs: hungAfterMs },
    ...(onEvent !== undefined && { onEvent }),
  });
}
