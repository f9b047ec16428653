import type { Batch, Engine } from '../../engine/engine.ts';
import type { InferenceObserver, QueueState } from '../inference.ts';
import { createAdmission } from './admission.ts';
import {
  type BatchItem,
  type BatchReport,
  type ItemAnswer,
  runBatch,
  type WaitingItem,
} from './run-batch.ts';
import { createThroughput } from './throughput.ts';

/** Work is in floating-point operations of the forward passes. */
export interface BatchingOptions {
  /** How long pictures wait for company while the devices are busy; while one is idle they never do. */
  readonly batchDelayMs: number;
  /** Most work of one batch; an item with more runs alone. */
  readonly maxBatchWork: number;
  /** Most work admitted and not done; a request with more is admitted where there is no other. */
  readonly maxQueueWork: number;
}

export interface BatcherOptions extends BatchingOptions {
  readonly engine: Pick<Engine, 'run'>;
  /** Devices behind the engine. Each gets one batch to run and one to have at hand when it is done. */
  readonly devices: number;
  readonly observer?: InferenceObserver | undefined;
}

/** A request's place in the queue. */
export interface Reservation {
  /**
   * Runs an item, whose work is part of what was reserved. Rejects with the signal's reason as soon as it is aborted
   * (an item that is not running yet is then dropped), ENGINE_FAILED where the engine fails on this item alone,
   * ENGINE_LOST. Its work leaves the queue when the engine has done with it.
   */
  run(item: BatchItem, signal: AbortSignal): Promise<ItemAnswer>;
  /** Gives back what no item has taken; no other call may follow. */
  release(): void;
}

export interface Batcher {
  /** Reserves room for all of a request's work, to be done by `deadline` (`performance.now()`). Throws QUEUE_FULL. */
  admit(work: number, deadline?: number): Reservation;
  queue(): QueueState;
}

interface QueuedItem extends WaitingItem {
  /** By `performance.now()`. */
  readonly arrivedMs: number;
}

/** Batches at hand or running for each device. */
const batchesPerDevice = 2;

/**
 * Makes batches of items of one shape and one set of networks from different requests. The oldest item's batch goes
 * first. A batch is sent at once while a device is idle; one more for each busy device is sent when it is full
 * or its oldest item has waited for `batchDelayMs`, so that no device waits for its next batch.
 */
export function createBatcher(options: BatcherOptions): Batcher {
  const { engine, devices, batchDelayMs, maxBatchWork, maxQueueWork, observer } = options;
  const maxInFlight = devices * batchesPerDevice;
  const throughput = createThroughput();
  const admission = createAdmission(maxQueueWork, throughput);
  /** Waiting items by what they can share a batch with, in order of arrival; no group is empty. */
  const groups = new Map<string, QueuedItem[]>();
  let inFlight = 0;
  /** Since when a further batch could have been sent. */
  let freeSinceMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  function enqueue(item: BatchItem, signal: AbortSignal, done: () => void): Promise<ItemAnswer> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        signal.removeEventListener('abort', abort);
        done();
      };
      const queued: QueuedItem = {
        ...item,
        signal,
        arrivedMs: performance.now(),
        resolve(answer) {
          settle();
          resolve(answer);
        },
        reject(error) {
          settle();
          reject(error);
        },
      };
      // The caller is told at once, but what runs already stays in the books until the engine has done with it.
      const abort = (): void => {
        if (remove(queued)) queued.reject(signal.reason);
        else reject(signal.reason);
      };
      signal.addEventListener('abort', abort);
      const key = keyOf(item);
      const group = groups.get(key);
      if (group) group.push(queued);
      else groups.set(key, [queued]);
      dispatch();
    });
  }

  function remove(item: QueuedItem): boolean {
    const key = keyOf(item);
    const group = groups.get(key);
    const at = group?.indexOf(item) ?? -1;
    if (!group || at < 0) return false;
    group.splice(at, 1);
    if (group.length === 0) groups.delete(key);
    return true;
  }

  /** Sends what may be sent now, and comes back when the oldest item has waited long enough. */
  function dispatch(): void {
    clearTimeout(timer);
    while (inFlight < maxInFlight) {
      const now = performance.now();
      const isIdle = inFlight < devices;
      const group = oldestOf([...groups.values()].filter((items) => isIdle || isDue(items, now)));
      if (!group) break;
      send(takeBatch(group));
    }
    const next = oldestOf([...groups.values()]);
    if (next && inFlight < maxInFlight) {
      const leftMs = next[0]!.arrivedMs + batchDelayMs - performance.now();
      timer = setTimeout(dispatch, Math.max(1, Math.ceil(leftMs)));
    }
  }

  /** The oldest has waited long enough, or no other item like it would fit into the batch. */
  function isDue(items: readonly QueuedItem[], now: number): boolean {
    const { arrivedMs, work } = items[0]!;
    return now - arrivedMs >= batchDelayMs || work + sumOfWork(items) > maxBatchWork;
  }

  function takeBatch(group: QueuedItem[]): QueuedItem[] {
    let count = 1;
    while (count < group.length && sumOfWork(group.slice(0, count + 1)) <= maxBatchWork) count++;
    const batch = group.splice(0, count);
    if (group.length === 0) groups.delete(keyOf(batch[0]!));
    return batch;
  }

  function send(items: readonly QueuedItem[]): void {
    const now = performance.now();
    for (const { arrivedMs } of items) {
      observer?.stage('queue', (now - arrivedMs) / 1000);
      observer?.stage('batch_wait', (now - Math.max(arrivedMs, freeSinceMs)) / 1000);
    }
    inFlight++;
    void runBatch(engine, items, report).then(() => {
      if (inFlight === maxInFlight) freeSinceMs = performance.now();
      inFlight--;
      dispatch();
    });
  }

  function report({ items, pictures, work, startedMs, doneMs }: BatchReport): void {
    throughput.add(work, startedMs, doneMs);
    observer?.batch(pictures, work);
    for (let i = 0; i < items; i++) observer?.stage('inference', (doneMs - startedMs) / 1000);
  }

  return {
    queue: admission.queue,
    admit(work, deadline) {
      const claim = admission.admit(work, deadline);
      return {
        release: claim.release,
        async run(item, signal) {
          signal.throwIfAborted();
          return enqueue(item, signal, claim.begin(item.work));
        },
      };
    },
  };
}

// --- helpers ---

/** Items of one key can share a batch. */
function keyOf({ networks, height, width, flip, maps }: Batch): string {
  return [networks.join('+'), height, width, flip, maps].join('|');
}

function sumOfWork(items: readonly BatchItem[]): number {
  return items.reduce((sum, { work }) => sum + work, 0);
}

function oldestOf(groups: readonly QueuedItem[][]): QueuedItem[] | undefined {
  let oldest: QueuedItem[] | undefined;
  for (const group of groups) if (!oldest || group[0]!.arrivedMs < oldest[0]!.arrivedMs) oldest = group;
  return oldest;
}
