import type { Job, JobResult } from './job.ts';

/** Service to the job's process: what to do, then perhaps to stop. */
export type ToJobProcess =
  | {
      readonly type: 'start';
      readonly job: Pick<Job, 'id' | 'type' | 'dataset' | 'ensemble' | 'settings'>;
      /** The job's own folder: checkpoints, and all that it must find again. */
      readonly folder: string;
      /** As handed in with the program. */
      readonly context: unknown;
    }
  /** Write a checkpoint and end. */
  | { readonly type: 'stop' };

/** Back: events, and at last how it ended. A process that ends without the latter has crashed. */
export type FromJobProcess =
  | { readonly type: 'event'; readonly event: { readonly type: string } & Record<string, unknown> }
  | { readonly type: 'done'; readonly result: JobResult }
  | { readonly type: 'failed'; readonly error: { readonly code: string; readonly message: string } }
  /** Stopped as asked; it can go on from its checkpoint. */
  | { readonly type: 'stopped' };
