import { type BatchGroup, createBatchQueue, type QueuedItem, workOf } from './batch-queue.ts';
import { type BatchItem, type ItemAnswer, runBatch } from './run-batch.ts';
import type { Throughput } from './throughput.ts';

export interface BatcherOptions {
  /** Each gets one batch to run and one to have at hand when it is done. */
  readonly devices: number;
  readonly batchDelayMs: number;
  readonly maxBatchWork: number;
  /** Is told of every batch that was answered. */
  readonly throughput: Throughput;
}

export interface Batcher {
  /**
   * Runs an item in a batch with others. Rejects with the signal's reason as soon as it is aborted. `onDone` is called
   * once: when the engine has done with the item, or when the item is dropped before it ran.
   */
  run(item: BatchItem, signal: AbortSignal, onDone: () => void): Promise<ItemAnswer>;
}

/** Batches at hand or running for each device. */
const batchesPerDevice = 2;

/**
 * Makes batches of items from different requests, clients in turns. A batch is sent at once while a
 * device is idle; one more for each busy device is sent when it is full or its first item has waited for
 * `batchDelayMs`, so that no device waits for its next batch.
 */
export function createBatcher({ devices, batchDelayMs, maxBatchWork, throughput }: BatcherOptions): Batcher {
  const maxInFlight = devices * batchesPerDevice;
  const queue = createBatchQueue();
  let inFlight = 0;
  /** Since when a further batch could have been sent. */
  let freeSinceMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  /** Sends what may be sent now, and comes back when the next item has waited long enough. */
  function dispatch(): void {
    clearTimeout(timer);
    while (inFlight < maxInFlight) {
      const now = performance.now();
      const isIdle = inFlight < devices;
      const group = queue.next((items) => isIdle || isDue(items, now));
      if (!group) break;
      send(queue.take(group, maxBatchWork));
    }
    const next = queue.next();
    if (next && inFlight < maxInFlight) {
      const leftMs = next[0]!.arrivedMs + batchDelayMs - performance.now();
      timer = setTimeout(dispatch, Math.max(1, Math.ceil(leftMs)));
    }
  }

  /** The first has waited long enough, or no other item like it would fit into the batch. */
  function isDue(group: BatchGroup, now: number): boolean {
    const { arrivedMs, work } = group[0]!;
    return now - arrivedMs >= batchDelayMs || work + workOf(group) > maxBatchWork;
  }

  function send(items: readonly QueuedItem[]): void {
    const now = performance.now();
    for (const { observer, arrivedMs } of items) {
      observer?.stage('queue', (now - arrivedMs) / 1000);
      observer?.stage('batch_wait', (now - Math.max(arrivedMs, freeSinceMs)) / 1000);
    }
    inFlight++;
    void runBatch(items, ({ work, startedMs, doneMs }) => throughput.add(work, startedMs, doneMs)).then(
      () => {
        if (inFlight === maxInFlight) freeSinceMs = performance.now();
        inFlight--;
        dispatch();
      },
    );
  }

  return {
    run: (item, signal, onDone) =>
      new Promise((resolve, reject) => {
        const settle = (): void => {
          signal.removeEventListener('abort', abort);
          onDone();
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
        // The caller is told at once, but what runs already is done only when the engine has done with it.
        const abort = (): void => {
          if (queue.remove(queued)) queued.reject(signal.reason);
          else reject(signal.reason);
        };
        signal.addEventListener('abort', abort);
        queue.add(queued);
        dispatch();
      }),
  };
}
