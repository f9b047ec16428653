import { VerydeepError } from '../../errors.ts';
import { copyOfTensor, mapWeights } from '../../network/weights.ts';
import { startCallableProcess } from '../../processes/calls.ts';
import { programBeside } from '../../processes/programs.ts';
import type { Batch, Engine, EngineOptions, NetworkOutput, NetworkSource } from '../engine.ts';
import type { EngineName } from '../engines.ts';
import type { HostCalls } from './protocol.ts';

export interface RemoteEngineOptions extends EngineOptions {
  readonly engine: EngineName;
  /** A host that has work and gives no answer for so long is killed. */
  readonly answerTimeoutMs: number;
}

/** An engine in a process of its own. */
export interface RemoteEngine extends Engine {
  readonly pid: number;
  /** Resident memory of the host at its last answer. */
  rssBytes(): number;
  /** As `Engine.run`; a host that takes longer than `timeoutMs`, from its answer before, is killed. */
  run(batch: Batch, timeoutMs?: number): Promise<Map<string, NetworkOutput>>;
  /** Aborted, with the reason, as soon as the process is known to be lost, before any call rejects. */
  readonly lost: AbortSignal;
}

/**
 * Starts an engine host. Throws what the engine throws when it is created (DEVICE_UNAVAILABLE), or ENGINE_LOST.
 * When the host dies, all calls that wait for it reject with ENGINE_LOST at once.
 */
export async function createRemoteEngine(options: RemoteEngineOptions): Promise<RemoteEngine> {
  const { answerTimeoutMs, ...engineOptions } = options;
  const host = startCallableProcess<HostCalls>({
    program: programBeside(import.meta.url, './host'),
    name: `engine host of ${options.device}`,
    lostError: (reason) => new VerydeepError('ENGINE_LOST', reason),
    failedCode: 'ENGINE_FAILED',
    answerTimeoutMs,
  });
  try {
    const capabilities = await host.call('create', engineOptions);
    return {
      capabilities,
      pid: host.pid,
      rssBytes: host.rssBytes,
      lost: host.lost,
      load: (network) => host.call('load', inMemory(network)),
      run: (batch, timeoutMs) => host.call('run', batch, timeoutMs),
      unload: (id) => host.call('unload', id),
      dispose: host.end,
    };
  } catch (error) {
    await host.end();
    throw error;
  }
}

// --- helpers ---

/** What computes a tensor cannot cross to another process; its numbers can. */
function inMemory(network: NetworkSource): NetworkSource {
  const { weights } = network;
  if ('path' in weights) return network;
  const copied = mapWeights(weights, (tensor) => ('data' in tensor ? tensor : copyOfTensor(tensor)));
  return { ...network, weights: copied };
}
