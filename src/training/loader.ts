import { on } from 'node:events';
import type { TrainingBatch } from '../engine/training-step.ts';
import type { ImageLimits } from '../image/limits.ts';
import { programBeside, startThread } from '../processes/programs.ts';
import { allocateBatch, type BatchPlan, copyBatch, type MicroBatchIndex, stepsPerEpoch } from './batch.ts';
import type { StoredPicture } from './load-image.ts';

/** Gives micro-batches in order, made ahead of time by a thread of its own. */
export interface BatchLoader {
  /** The next micro-batch. Its memory is used again by the following call. */
  next(): Promise<TrainingBatch>;
  close(): Promise<void>;
}

/** What the thread is given when it starts. */
export interface LoaderData {
  readonly plan: BatchPlan;
  readonly pictures: readonly StoredPicture[];
  readonly limits: ImageLimits;
  readonly slots: readonly Required<TrainingBatch>[];
}

/** "Fill this slot with that micro-batch." */
export interface LoaderJob {
  readonly slot: number;
  readonly index: MicroBatchIndex;
}

/** Micro-batches that are made ahead: enough to cover a picture that takes long. */
const slotCount = 6;

/** Starts loading after `step` steps of an epoch; goes on through all further epochs until it is closed. */
export function createBatchLoader(
  plan: BatchPlan,
  pictures: readonly StoredPicture[],
  limits: ImageLimits,
  start: { readonly epoch: number; readonly step: number },
): BatchLoader {
  const slots = Array.from({ length: slotCount }, () => allocateBatch(plan, SharedArrayBuffer));
  const batch = allocateBatch(plan); // native runtimes refuse shared memory
  const data: LoaderData = { plan, pictures, limits, slots };
  const worker = startThread(programBeside(import.meta.url, './loader-worker'), data);
  /** Slots as they are filled, in the order of the jobs; an error of the thread comes after those. */
  const filled = on(worker, 'message', { close: ['exit'] });

  const steps = stepsPerEpoch(pictures.length, plan.batch);
  let index: MicroBatchIndex =
    start.step < steps ? { ...start, part: 0 } : { epoch: start.epoch + 1, step: 0, part: 0 };
  const refill = (slot: number): void => {
    worker.postMessage({ slot, index } satisfies LoaderJob);
    index = following(index, plan, steps);
  };
  for (let slot = 0; slot < slotCount; slot++) refill(slot);

  return {
    async next() {
      const { done, value } = await filled.next();
      if (done) throw new Error('the thread that loads images has ended');
      const [slot] = value as [number];
      copyBatch(slots[slot]!, batch);
      refill(slot);
      return batch;
    },
    close: async () => void (await worker.terminate()),
  };
}

// --- helpers ---

/** Parts of a step, steps of an epoch, then the next epoch. */
function following({ epoch, step, part }: MicroBatchIndex, plan: BatchPlan, steps: number): MicroBatchIndex {
  if (part + 1 < plan.batch / plan.microBatch) return { epoch, step, part: part + 1 };
  if (step + 1 < steps) return { epoch, step: step + 1, part: 0 };
  return { epoch: epoch + 1, step: 0, part: 0 };
}
