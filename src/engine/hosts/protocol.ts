import type { EngineOptions } from '../create.ts';
import type { Batch, EngineCapabilities, NetworkOutput, NetworkSource } from '../engine.ts';

/** What an engine host can be asked to do. The first call is `create`. */
export type HostCalls = {
  create: { argument: EngineOptions; answer: EngineCapabilities };
  load: { argument: NetworkSource; answer: undefined };
  run: { argument: Batch; answer: Map<string, NetworkOutput> };
  unload: { argument: string; answer: undefined };
};
