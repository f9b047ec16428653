import { type AdmissionRequest, createAdmission, type QueueState, type Reservation } from './admission.ts';
import { createBatcher } from './batcher.ts';
import type { BatchItem, ItemAnswer } from './run-batch.ts';
import { createThroughput } from './throughput.ts';

/** Work is in floating-point operations of the forward passes. */
export interface BatchingOptions {
  /** How long pictures wait for company while the devices are busy; while one is idle they never do. */
  readonly batchDelayMs: number;
  /** Most work of one batch; an item with more runs alone. */
  readonly maxBatchWork: number;
  /** Most work admitted and not done; a request with more is admitted if there is no other. */
  readonly maxQueueWork: number;
}

export interface SchedulerOptions {
  /** How many batches can run at a time; the engines of all items compute on the same devices. */
  readonly devices: number;
  readonly batching: BatchingOptions;
}

/**
 * What a set of devices does, and in which order: one queue, one limit and one measured rate for all engines that
 * compute on them.
 */
export interface Scheduler {
  /** Reserves room for all of a request's work, by its deadline. Throws QUEUE_FULL. */
  admit(request: AdmissionRequest): Reservation;
  /**
   * Runs an item, whose work is part of what was reserved. Rejects with the signal's reason as soon as it is aborted
   * (an item that is not running yet is then dropped), ENGINE_FAILED if the engine fails on this item alone,
   * ENGINE_LOST. Its work leaves the queue when the engine has done with it.
   */
  run(item: BatchItem, reservation: Reservation, signal: AbortSignal): Promise<ItemAnswer>;
  queue(): QueueState;
  /** See {@link BatchingOptions}. */
  readonly maxBatchWork: number;
}

/** One for a set of devices, however many ensembles and versions are served on them. */
export function createScheduler({ devices, batching }: SchedulerOptions): Scheduler {
  const { batchDelayMs, maxBatchWork, maxQueueWork } = batching;
  const throughput = createThroughput();
  const admission = createAdmission(maxQueueWork, throughput);
  const batcher = createBatcher({ devices, batchDelayMs, maxBatchWork, throughput });
  return {
    admit: admission.admit,
    async run(item, reservation, signal) {
      signal.throwIfAborted();
      return batcher.run(item, signal, reservation.begin(item.work));
    },
    queue: admission.queue,
    maxBatchWork,
  };
}
