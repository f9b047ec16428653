import type { Batch, Engine, NetworkOutput } from '../engine/engine.ts';
import { VerydeepError } from '../errors.ts';
import { joinPixels, sliceOutputs } from './batch.ts';
import type { InferenceObserver, QueueState } from './inference.ts';
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

/** Pictures that belong together: one of an image, or its crops. */
export interface BatchItem extends Batch {
  readonly work: number;
}

/** An item's answer, and when its batch was sent to the engine and answered, by `performance.now()`. */
export interface ItemAnswer {
  readonly outputs: ReadonlyMap<string, NetworkOutput>;
  readonly startedMs: number;
  readonly doneMs: number;
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
  /** Reserves room for all of a request's work. Throws QUEUE_FULL. */
  admit(work: number): Reservation;
  queue(): QueueState;
}

interface QueuedItem extends BatchItem {
  readonly key: string;
  readonly signal: AbortSignal;
  readonly arrivedMs: number;
  resolve(answer: ItemAnswer): void;
  reject(error: unknown): void;
  /** To be called when the engine has done with it or it is dropped; a second call does nothing. */
  finish(): void;
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
  /** Waiting items, in order of arrival. */
  const waiting = new Map<string, QueuedItem[]>();
  const throughput = createThroughput();
  let inFlight = 0;
  let queuedWork = 0;
  let requests = 0;
  /** Since when a further batch could have been sent. */
  let freeSinceMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  function admit(work: number): Reservation {
    if (requests > 0 && queuedWork + work > maxQueueWork) throw queueFull(work);
    let reserved = work;
    let unfinished = 0;
    let released = false;
    requests++;
    queuedWork += work;

    const leaveIfDone = (): void => {
      if (!released || unfinished > 0) return;
      requests--;
      if (requests === 0) queuedWork = 0; // beyond 2^53 sums are rounded
    };

    return {
      run: (item, signal) =>
        new Promise((resolve, reject) => {
          if (signal.aborted) return reject(signal.reason);
          reserved -= item.work;
          unfinished++;
          let finished = false;
          const finish = (): void => {
            if (finished) return;
            finished = true;
            signal.removeEventListener('abort', abort);
            queuedWork -= item.work;
            unfinished--;
            leaveIfDone();
          };
          const queued = {
            ...item,
            key: keyOf(item),
            signal,
            arrivedMs: performance.now(),
            resolve,
            reject,
            finish,
          };
          // An item that runs already stays in the books until the engine has done with it.
          const abort = (): void => {
            if (remove(queued)) finish();
            reject(signal.reason);
          };
          signal.addEventListener('abort', abort);
          enqueue(queued);
        }),
      release() {
        if (released) return;
        released = true;
        queuedWork -= reserved;
        leaveIfDone();
      },
    };
  }

  function enqueue(item: QueuedItem): void {
    const items = waiting.get(item.key);
    if (items) items.push(item);
    else waiting.set(item.key, [item]);
    dispatch();
  }

  function remove(item: QueuedItem): boolean {
    const items = waiting.get(item.key);
    const at = items?.indexOf(item) ?? -1;
    if (!items || at < 0) return false;
    items.splice(at, 1);
    if (items.length === 0) waiting.delete(item.key);
    return true;
  }

  /** Sends what may be sent now, and comes back when the oldest item has waited long enough. */
  function dispatch(): void {
    clearTimeout(timer);
    timer = undefined;
    while (inFlight < devices * batchesPerDevice) {
      const idle = inFlight < devices;
      const now = performance.now();
      const group = oldestOf([...waiting.values()].filter((items) => idle || isDue(items, now)));
      if (!group) break;
      send(takeBatch(group));
    }
    const next = oldestOf([...waiting.values()]);
    if (next && inFlight < devices * batchesPerDevice) {
      const waitMs = Math.max(1, next[0]!.arrivedMs + batchDelayMs - performance.now());
      timer = setTimeout(dispatch, Math.ceil(waitMs));
    }
  }

  /** No other item like its first would fit into the batch, or that one has waited long enough. */
  function isDue(items: readonly QueuedItem[], now: number): boolean {
    const [first] = items;
    const work = items.reduce((sum, item) => sum + item.work, 0);
    return now - first!.arrivedMs >= batchDelayMs || work + first!.work > maxBatchWork;
  }

  function takeBatch(group: QueuedItem[]): QueuedItem[] {
    let work = 0;
    let count = 0;
    while (count < group.length && (count === 0 || work + group[count]!.work <= maxBatchWork)) {
      work += group[count]!.work;
      count++;
    }
    const batch = group.splice(0, count);
    if (group.length === 0) waiting.delete(batch[0]!.key);
    return batch;
  }

  function send(items: QueuedItem[]): void {
    const now = performance.now();
    for (const { arrivedMs } of items) {
      observer?.stage('queue', (now - arrivedMs) / 1000);
      observer?.stage('batch_wait', (now - Math.max(arrivedMs, freeSinceMs)) / 1000);
    }
    inFlight++;
    execute(items)
      .catch((error: unknown) => fail(items, error))
      .finally(() => {
        if (inFlight === devices * batchesPerDevice) freeSinceMs = performance.now();
        inFlight--;
        dispatch();
      });
  }

  /** Runs items as one batch. Where the engine fails on several, each half is tried apart, so only the guilty one fails. */
  async function execute(all: readonly QueuedItem[]): Promise<void> {
    const items = all.filter(({ signal }) => !signal.aborted);
    for (const item of all) if (item.signal.aborted) item.finish();
    if (items.length === 0) return;
    const startedMs = performance.now();
    const batch = batchOf(items);
    const work = items.reduce((sum, item) => sum + item.work, 0);
    let outputs: Map<string, NetworkOutput>;
    try {
      outputs = await engine.run(batch);
    } catch (error) {
      if (items.length === 1 || !(error instanceof VerydeepError && error.code === 'ENGINE_FAILED')) {
        return fail(items, error);
      }
      const half = Math.ceil(items.length / 2);
      await execute(items.slice(0, half));
      await execute(items.slice(half));
      return;
    }
    const doneMs = performance.now();
    throughput.add(work, startedMs, doneMs);
    let first = 0;
    for (const item of items) {
      const own = items.length === 1 ? outputs : sliceOutputs(outputs, first, item.count, batch.count);
      item.finish();
      item.resolve({ outputs: own, startedMs, doneMs });
      first += item.count;
      observer?.stage('inference', (doneMs - startedMs) / 1000);
    }
    observer?.batch(batch.count, work);
  }

  function queueFull(work: number): VerydeepError {
    const excess = queuedWork + work - maxQueueWork;
    const gigaflops = (flops: number): string => (flops / 1e9).toFixed(1);
    return new VerydeepError(
      'QUEUE_FULL',
      `expected at most ${gigaflops(maxQueueWork)} GFLOP of work in the queue, received ${gigaflops(work)} ` +
        `beside ${gigaflops(queuedWork)}; try again later`,
      { retryAfterSeconds: Math.max(1, Math.ceil(throughput.secondsFor(excess) ?? 1)) },
    );
  }

  return { admit, queue: () => ({ requests, work: queuedWork, maxWork: maxQueueWork }) };
}

// --- helpers ---

/** Items of one key can share a batch. */
function keyOf({ networks, height, width, flip, maps }: Batch): string {
  return [networks.join('+'), height, width, flip, maps].join('|');
}

function batchOf(items: readonly QueuedItem[]): Batch {
  const { networks, height, width, flip, maps } = items[0]!;
  const count = items.reduce((sum, item) => sum + item.count, 0);
  return {
    networks,
    pixels: joinPixels(items.map(({ pixels }) => pixels)),
    count,
    height,
    width,
    flip,
    maps,
  };
}

function fail(items: readonly QueuedItem[], error: unknown): void {
  for (const item of items) {
    item.finish();
    item.reject(error);
  }
}

function oldestOf(groups: readonly QueuedItem[][]): QueuedItem[] | undefined {
  let oldest: QueuedItem[] | undefined;
  for (const group of groups) if (!oldest || group[0]!.arrivedMs < oldest[0]!.arrivedMs) oldest = group;
  return oldest;
}
