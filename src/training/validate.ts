import type { Engine } from '../engine/engine.ts';
import { cornerBoxOf, intersectionOverUnion, relativeToCrop } from '../image/box.ts';
import type { ImageLimits } from '../image/limits.ts';
import { rankOf } from '../network/ranking.ts';
import { centralCrop } from './batch.ts';
import { pixelsOf } from './dataset.ts';
import type { ValidationResult } from './events.ts';
import type { StoredPicture } from './load-image.ts';
import { cropResized } from './resample.ts';

export interface ValidationOptions {
  /** Smallest side Q to which pictures are rescaled. */
  readonly scale: number;
  readonly crop: number;
  readonly limits: ImageLimits;
}

const batchSize = 64;

/** Runs the loaded network `id` over the central crop of every picture (paper: the measure that drives the schedule). */
export async function validate(
  engine: Engine,
  id: string,
  pictures: readonly StoredPicture[],
  { scale, crop, limits }: ValidationOptions,
): Promise<ValidationResult> {
  const total = { loss: 0, right: 0, top5: 0 };
  let classifies = true;
  for (let first = 0; first < pictures.length; first += batchSize) {
    const batch = pictures.slice(first, first + batchSize);
    const pixels = new Uint8Array(batch.length * crop * crop * 3);
    const windows = await Promise.all(
      batch.map(async (picture, i) => {
        const loaded = { ...picture, pixels: await pixelsOf(picture, scale, limits) };
        const window = centralCrop(loaded, scale, crop);
        cropResized(loaded, window, crop, false, pixels, i * crop * crop * 3);
        return window;
      }),
    );
    const outputs = await engine.run({
      networks: [id],
      pixels,
      count: batch.length,
      height: crop,
      width: crop,
      flip: false,
      maps: false,
    });
    const { posteriors, maps } = outputs.get(id)!;
    classifies = posteriors !== undefined;
    for (const [i, picture] of batch.entries()) {
      if (posteriors) {
        const classes = posteriors.length / batch.length;
        const own = posteriors.subarray(i * classes, (i + 1) * classes);
        const rank = rankOf(own, picture.label);
        total.loss -= Math.log(Math.max(own[picture.label]!, Number.MIN_VALUE));
        total.right += rank === 0 ? 1 : 0;
        total.top5 += rank < 5 ? 1 : 0;
      } else {
        const values = maps!.shape[2];
        const offset = i * values + (values === 4 ? 0 : 4 * picture.label);
        const predicted = [...maps!.data.subarray(offset, offset + 4)] as [number, number, number, number];
        const target = relativeToCrop(picture.box!, windows[i]!);
        total.loss += target.reduce((sum, value, k) => sum + (predicted[k]! - value) ** 2 / 2, 0);
        if (intersectionOverUnion(cornerBoxOf(predicted), cornerBoxOf(target)) > 0.5) total.right += 1;
      }
    }
  }
  const mean = (sum: number): number => sum / pictures.length;
  return {
    loss: mean(total.loss),
    accuracy: mean(total.right),
    ...(classifies && { top5: mean(total.top5) }),
  };
}
