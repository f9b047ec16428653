import type { Batch, EngineCapabilities, EngineOptions, NetworkOutput, NetworkSource } from '../engine.ts';
import type { EngineName } from '../engines.ts';

/** What an engine host can be asked to do. The first call is `create`. */
export type HostCalls = {
  create: { argument: EngineOptions & { readonly engine: EngineName }; answer: EngineCapabilities };
  load: { argument: NetworkSource; answer: undefined };
  run: { argument: Batch; answer: Map<string, NetworkOutput> };
  unload: { argument: string; answer: undefined };
};
