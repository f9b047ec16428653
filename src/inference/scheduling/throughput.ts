/** The rate at which the devices do work together, while they are busy. */
export interface Throughput {
  /** `work` was done; `startedMs` and `doneMs` by `performance.now()`. */
  add(work: number, startedMs: number, doneMs: number): void;
  /** Undefined before the first work is done. */
  secondsFor(work: number): number | undefined;
  /** Whether the rate is that of several batches, and not of the first, which may have been a slow one. */
  isSettled(): boolean;
}

/** Each batch weighs this much less with every later one: the rate is that of the last twenty or so. */
const decay = 0.95;
const enoughBatches = 5;

export function createThroughput(): Throughput {
  let work = 0;
  let seconds = 0;
  let batches = 0;
  let lastDoneMs = Number.NEGATIVE_INFINITY;
  return {
    add(done, startedMs, doneMs) {
      // Batches run side by side or wait in a host's queue: only the time since the one before is this one's own.
      const ownMs = doneMs - Math.max(startedMs, lastDoneMs);
      work = decay * work + done;
      seconds = decay * seconds + ownMs / 1000;
      lastDoneMs = doneMs;
      batches++;
    },
    secondsFor: (wanted) => (work > 0 ? (wanted * seconds) / work : undefined),
    isSettled: () => batches >= enoughBatches,
  };
}
