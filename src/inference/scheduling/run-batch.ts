import type { Batch, Engine, NetworkOutput } from '../../engine/engine.ts';
import { isVerydeepError } from '../../errors.ts';
import { joinPixels, sliceOutputs } from './batch.ts';
import type { InferenceObserver } from './observer.ts';

/** Pictures that belong together: one of an image, or its crops. */
export interface BatchItem extends Batch {
  /** Whose it is: clients have equal shares of the work. */
  readonly client: string;
  /** Has the item's networks loaded. */
  readonly engine: Pick<Engine, 'run'>;
  /** Floating-point operations of its forward passes. */
  readonly work: number;
  /** Items on one engine have the same. */
  readonly observer?: InferenceObserver | undefined;
}

/** An item's answer, and when its batch was sent to the engine and answered, by `performance.now()`. */
export interface ItemAnswer {
  readonly outputs: ReadonlyMap<string, NetworkOutput>;
  readonly startedMs: number;
  readonly doneMs: number;
}

/** An item somebody may wait for; exactly one of `resolve` and `reject` is called. */
export interface WaitingItem extends BatchItem {
  readonly signal: AbortSignal;
  resolve(answer: ItemAnswer): void;
  reject(error: unknown): void;
}

/** A batch that was answered. */
export interface BatchReport {
  readonly work: number;
  readonly startedMs: number;
  readonly doneMs: number;
}

/**
 * Runs items that can share a batch as one and settles each. If the engine fails on several (ENGINE_FAILED), each half
 * is tried apart, so that only the guilty item fails; ENGINE_LOST goes to all, since the engine pool has tried twice.
 * Items that nobody waits for any more are left out. Never rejects.
 */
export async function runBatch(
  items: readonly WaitingItem[],
  report: (batch: BatchReport) => void,
): Promise<void> {
  for (const { signal, reject } of items) if (signal.aborted) reject(signal.reason);
  const wanted = items.filter(({ signal }) => !signal.aborted);
  if (wanted.length === 0) return;
  const startedMs = performance.now();
  try {
    const batch = batchOf(wanted);
    const outputs = await wanted[0]!.engine.run(batch);
    const doneMs = performance.now();
    const work = wanted.reduce((sum, item) => sum + item.work, 0);
    report({ work, startedMs, doneMs });
    wanted[0]!.observer?.batch(batch.count, work);
    let first = 0;
    for (const { count, observer, resolve } of wanted) {
      observer?.stage('inference', (doneMs - startedMs) / 1000);
      const own = wanted.length === 1 ? outputs : sliceOutputs(outputs, first, count, batch.count);
      resolve({ outputs: own, startedMs, doneMs });
      first += count;
    }
  } catch (error) {
    if (wanted.length > 1 && isVerydeepError(error, 'ENGINE_FAILED')) {
      const half = Math.ceil(wanted.length / 2);
      await runBatch(wanted.slice(0, half), report);
      await runBatch(wanted.slice(half), report);
    } else {
      for (const { reject } of wanted) reject(error);
    }
  }
}

/** The span of time, in milliseconds, that items were with the engine; what their intervals share counts once. */
export function coveredMs(intervals: readonly Pick<ItemAnswer, 'startedMs' | 'doneMs'>[]): number {
  let covered = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const { startedMs, doneMs } of [...intervals].sort((a, b) => a.startedMs - b.startedMs)) {
    covered += Math.max(0, doneMs - Math.max(startedMs, end));
    end = Math.max(end, doneMs);
  }
  return covered;
}

// --- helpers ---

function batchOf(items: readonly BatchItem[]): Batch {
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
