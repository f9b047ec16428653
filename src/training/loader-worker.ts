/** The loader's thread: fills slots of shared memory with augmented crops, one job after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { fillBatch, picturesOf } from './batch.ts';
import { pixelsOf } from './dataset.ts';
import type { LoaderData, LoaderJob } from './loader.ts';
import { epochOrder } from './randomness.ts';

const { plan, pictures, limits, slots } = workerData as LoaderData;

let order: { epoch: number; indices: Uint32Array } = { epoch: 0, indices: new Uint32Array() };
let last = Promise.resolve();

parentPort!.on('message', (job: LoaderJob) => {
  last = last.then(() => fill(job)); // a rejection ends the thread with its error
});

async function fill({ slot, index }: LoaderJob): Promise<void> {
  if (order.epoch !== index.epoch) {
    order = { epoch: index.epoch, indices: epochOrder(plan.seed, index.epoch, pictures.length) };
  }
  const chosen = picturesOf(plan, order.indices, index).map((i) => pictures[i]!);
  const loaded = await Promise.all(
    chosen.map(async (picture) => ({ ...picture, pixels: await pixelsOf(picture, plan.scale.max, limits) })),
  );
  fillBatch(slots[slot]!, plan, index, loaded);
  parentPort!.postMessage(slot);
}
