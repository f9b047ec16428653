import type { WorkerStepOptions } from './worker-step.ts';

/** What a training worker can be asked to do (worker-step.ts). The first call is `create`. */
export type WorkerCalls = {
  create: { argument: WorkerStepOptions; answer: { readonly name: string; readonly gradientLength: number } };
  accumulate: { argument: number; answer: number };
  publish: { argument: undefined; answer: undefined };
  sum: { argument: undefined; answer: undefined };
  update: { argument: number; answer: undefined };
  read: { argument: 'weights' | 'velocity' | 'gradient'; answer: undefined };
};

/** The worker's number of the shared memory: the first after the streams and the channel. */
export const sharedDescriptor = 4;
