import { afterEach, expect, it } from 'vitest';
import { colourStatistics } from '../../src/image/colour-shift.ts';
import { ownImageLimits } from '../../src/image/limits.ts';
import { allocateBatch, type BatchPlan, fillBatch, picturesOf } from '../../src/training/batch.ts';
import type { StoredPicture } from '../../src/training/load-image.ts';
import { type BatchLoader, createBatchLoader } from '../../src/training/loader.ts';
import { epochOrder } from '../../src/training/randomness.ts';

const [width, height] = [40, 36];

/** Of one colour; in memory that the loader's thread shares. */
const pictures = [10, 60, 110, 160, 210].map((value, label): StoredPicture => {
  const pixels = new SharedArrayBuffer(width * height * 3);
  new Uint8Array(pixels).fill(value);
  return { path: `/nowhere/${value}.png`, label, width, height, pixels };
});
const withPixels = pictures.map((picture) => ({ ...picture, pixels: new Uint8Array(picture.pixels!) }));
const plan: BatchPlan = {
  seed: 5,
  crop: 32,
  scale: { min: 36, max: 40 },
  batch: 4,
  microBatch: 2,
  fc: 8,
  colours: colourStatistics(withPixels),
};

let loader: BatchLoader | undefined;
afterEach(() => loader?.close());

it('gives the micro-batches of one epoch after the other, in their order', async () => {
  loader = createBatchLoader(plan, pictures, ownImageLimits, { epoch: 1, step: 0 });
  for (let epoch = 1; epoch <= 8; epoch++) {
    const order = epochOrder(plan.seed, epoch, pictures.length);
    for (const part of [0, 1]) {
      const index = { epoch, step: 0, part };
      const wanted = allocateBatch(plan);
      const chosen = picturesOf(plan, order, index).map((i) => withPixels[i]!);
      fillBatch(wanted, plan, index, chosen);
      expect(await loader.next()).toEqual(wanted);
    }
  }
});

it('fails with the error of its thread after the micro-batches that were made before it', async () => {
  const order = epochOrder(plan.seed, 1, pictures.length);
  const lost = order[2]!; // of the second micro-batch
  const some = pictures.map(({ pixels, ...picture }, i) =>
    i === lost ? picture : { ...picture, pixels: pixels! },
  );
  loader = createBatchLoader(plan, some, ownImageLimits, { epoch: 1, step: 0 });
  await expect(loader.next()).resolves.toBeDefined();
  await expect(loader.next()).rejects.toThrow('ENOENT');
  await expect(loader.next()).rejects.toThrow('has ended');
});
