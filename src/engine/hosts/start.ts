import { isVerydeepError, VerydeepError } from '../../errors.ts';
import { threadLimit } from '../../processes/threads.ts';
import type { EngineName } from '../create.ts';
import { type HostPlacement, parseDevices, placeHosts } from '../devices.ts';
import { createEnginePool, type EnginePool } from './pool.ts';
import { createRemoteEngine } from './remote.ts';
import type { HostEvent } from './supervisor.ts';

export interface HostsOptions {
  /** `auto`: oneDNN where all devices are `cpu` and its library is found, else onnxruntime (in fp32, and where no library was named). */
  readonly engine: EngineName | 'auto';
  /** `cpu`, `cuda:0,cuda:1`, ... (`parseDevices`): one host each. */
  readonly devices: string;
  /** Threads of all cpu hosts together; 0 for as many as the process may use (`threadLimit`). */
  readonly threads: number;
  readonly precision?: 'fp32' | 'bf16';
  readonly onednnLibrary?: string;
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
  checkPrecision(options);
  const placements = placeHosts(parseDevices(options.devices), options.threads || threadLimit());
  if (options.engine !== 'auto') return startPool(options.engine, placements, options);
  if (placements.every(({ device }) => device === 'cpu')) {
    try {
      return await startPool('onednn', placements, options);
    } catch (error) {
      const unavailable = isVerydeepError(error, 'DEVICE_UNAVAILABLE');
      // Whoever asks for bf16 or names a library asks for oneDNN: something else in its place would be a surprise.
      if (!unavailable || options.precision === 'bf16' || options.onednnLibrary !== undefined) throw error;
    }
  }
  return startPool('onnx', placements, options);
}

// --- helpers ---

/** Only oneDNN, on the cpu, computes in bf16: nobody is to measure fp32 under its name. */
function checkPrecision({ engine, devices, precision }: HostsOptions): void {
  const isOnednn = engine === 'onednn' || (engine === 'auto' && devices === 'cpu');
  if (precision !== 'bf16' || isOnednn) return;
  const message = `precision: expected fp32 with engine ${engine} on ${devices}; received bf16, which is oneDNN's on cpu`;
  throw new VerydeepError('INVALID_SETTINGS', message);
}

function startPool(
  engine: EngineName,
  placements: readonly HostPlacement[],
  { precision, onednnLibrary, onEvent }: HostsOptions,
): Promise<EnginePool> {
  return createEnginePool({
    placements,
    createEngine: ({ device, threads }) =>
      createRemoteEngine({
        engine,
        device,
        threads,
        // Images are decoded on the same cores: threads that spin would slow that down.
        sharedCores: true,
        answerTimeoutMs,
        ...(precision !== undefined && { precision }),
        ...(onednnLibrary !== undefined && { onednnLibrary }),
      }),
    backoff: { initialMs: 100, maxMs: 30_000 },
    recoveryTimeoutMs: 30_000,
    patience: { untriedMs: answerTimeoutMs, floorMs: hungAfterMs },
    ...(onEvent !== undefined && { onEvent }),
  });
}
