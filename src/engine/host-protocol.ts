import type { ErrorCode } from '../errors.ts';
import type { EngineOptions } from './create.ts';
import type { Batch, EngineCapabilities, NetworkOutput, NetworkSource } from './engine.ts';

/** What a host can be asked to do, with its argument and its answer. The first call is `create`. */
export interface HostCalls {
  create: { argument: EngineOptions; answer: EngineCapabilities };
  load: { argument: NetworkSource; answer: undefined };
  run: { argument: Batch; answer: Map<string, NetworkOutput> };
  unload: { argument: string; answer: undefined };
}

export type HostCall = keyof HostCalls;

/** Parent to host. The channel copies by structured clone, so typed arrays and maps cross as they are. */
export type HostRequest = {
  [Call in HostCall]: {
    readonly id: number;
    readonly call: Call;
    readonly argument: HostCalls[Call]['argument'];
  };
}[HostCall];

/** Host to parent: one for each request, in their order. */
export interface HostAnswer {
  readonly id: number;
  /** Resident memory of the host. */
  readonly rssBytes: number;
  readonly answer?: HostCalls[HostCall]['answer'];
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}
