import type { ErrorCode } from '../errors.ts';

/** What a child process can be asked to do: the argument and the answer of each call. */
export type Calls = Record<string, { argument: unknown; answer: unknown }>;

/** Parent to child. The channel copies by structured clone, so typed arrays and maps cross as they are. */
export type CallRequest<C extends Calls> = {
  [Call in keyof C]: {
    readonly id: number;
    readonly call: Call;
    readonly argument: C[Call]['argument'];
  };
}[keyof C];

/** Child to parent: one for each request, in their order. */
export interface CallAnswer<C extends Calls> {
  readonly id: number;
  /** Resident memory of the child. */
  readonly rssBytes: number;
  readonly answer?: C[keyof C]['answer'];
  readonly error?: { readonly code?: ErrorCode; readonly message: string };
}
