import type { TrainingBatch } from '../engine/training-step.ts';
import { type CropWindow, relativeToCrop } from '../image/box.ts';
import { type ColourStatistics, sampleColourShift } from '../image/colour-shift.ts';
import { centralCropAt } from '../image/picture.ts';
import { rescaledSize } from '../image/rescale.ts';
import type { Random } from '../network/random.ts';
import type { StoredPicture } from './load-image.ts';
import { randomStream } from './randomness.ts';
import { cropResized } from './resample.ts';

/** What a loader must know to make any batch of a training. */
export interface BatchPlan {
  readonly seed: number;
  /** Side of the crops in pixels. */
  readonly crop: number;
  /** Smallest side S of a picture: drawn anew from this range for each crop (paper, 3.1). */
  readonly scale: { readonly min: number; readonly max: number };
  readonly batch: number;
  readonly microBatch: number;
  /** Outputs of the hidden fully connected layers. */
  readonly fc: number;
  readonly colours: ColourStatistics;
}

/** Which micro-batch: all counted from 0, but for the epoch, which is counted from 1. */
export interface MicroBatchIndex {
  readonly epoch: number;
  readonly step: number;
  readonly part: number;
}

/** A picture whose pixels are at hand. */
export type LoadedPicture = Omit<StoredPicture, 'pixels'> & { readonly pixels: Uint8Array };

/** Steps of an epoch: whole batches; pictures left over are others in every epoch. */
export function stepsPerEpoch(pictures: number, batch: number): number {
  return Math.max(1, Math.floor(pictures / batch));
}

/** Room for one micro-batch, in ordinary memory or in memory that threads share. */
export function allocateBatch(
  plan: Pick<BatchPlan, 'microBatch' | 'crop' | 'fc'>,
  Memory: ArrayBufferConstructor | SharedArrayBufferConstructor = ArrayBuffer,
): Required<TrainingBatch> {
  const { microBatch, crop, fc } = plan;
  const floats = (count: number): Float32Array => new Float32Array(new Memory(count * 4));
  return {
    pixels: new Uint8Array(new Memory(microBatch * crop * crop * 3)),
    colourShift: floats(microBatch * 3),
    labels: new Int32Array(new Memory(microBatch * 4)),
    boxes: floats(microBatch * 4),
    dropout: [floats(microBatch * fc), floats(microBatch * fc)],
  };
}

export function copyBatch(from: Required<TrainingBatch>, to: Required<TrainingBatch>): void {
  to.pixels.set(from.pixels);
  to.colourShift.set(from.colourShift);
  to.labels.set(from.labels);
  to.boxes.set(from.boxes);
  to.dropout[0].set(from.dropout[0]);
  to.dropout[1].set(from.dropout[1]);
}

/**
 * Which pictures make up a micro-batch. Epochs are shuffled each in its own way; a data set smaller than the batch is
 * gone through more than once.
 */
export function picturesOf(plan: BatchPlan, order: Uint32Array, { step, part }: MicroBatchIndex): number[] {
  const first = step * plan.batch + part * plan.microBatch;
  return Array.from({ length: plan.microBatch }, (_, i) => order[(first + i) % order.length]!);
}

/**
 * Fills `target` with augmented crops of `pictures` and with dropout masks. A pure function of its arguments. Random
 * numbers go by a picture's position in the epoch, so they are the same however a batch is split.
 */
export function fillBatch(
  target: Required<TrainingBatch>,
  plan: BatchPlan,
  index: MicroBatchIndex,
  pictures: readonly LoadedPicture[],
): void {
  const { epoch, step, part } = index;
  const { fc } = plan;
  pictures.forEach((picture, i) => {
    const position = step * plan.batch + part * plan.microBatch + i;
    const random = randomStream(plan.seed, 'sample', epoch, position);
    const window = drawCrop(picture, plan, random);
    cropResized(picture, window, plan.crop, window.mirrored, target.pixels, i * plan.crop ** 2 * 3);
    target.colourShift.set(sampleColourShift(plan.colours, random), i * 3);
    target.labels[i] = picture.label;
    if (picture.box) target.boxes.set(relativeToCrop(picture.box, window), i * 4);
    for (const [layer, masks] of target.dropout.entries()) {
      const mask = masks.subarray(i * fc, (i + 1) * fc);
      fillDropout(mask, randomStream(plan.seed, 'dropout', epoch, position, layer));
    }
  });
}

/** The central crop of a picture rescaled to smallest side `scale`, which validation looks at. */
export function centralCrop(picture: LoadedPicture, scale: number, crop: number): CropWindow {
  const size = rescaledSize(picture.width, picture.height, scale);
  const { x, y } = centralCropAt(size, crop);
  return { ...windowOf(picture, size, x, y, crop), mirrored: false };
}

// --- helpers ---

/** One random crop (paper, 3.1): of the picture rescaled to smallest side S, in pixels of the stored picture. */
function drawCrop(picture: LoadedPicture, { crop, scale }: BatchPlan, random: Random): CropWindow {
  const smallestSide = scale.min + random.integer(scale.max - scale.min + 1);
  const size = rescaledSize(picture.width, picture.height, smallestSide);
  const x = random.integer(size.width - crop + 1);
  const y = random.integer(size.height - crop + 1);
  return { ...windowOf(picture, size, x, y, crop), mirrored: random.next() < 0.5 };
}

function windowOf(
  picture: { width: number; height: number },
  rescaled: { width: number; height: number },
  x: number,
  y: number,
  crop: number,
): Omit<CropWindow, 'mirrored'> {
  const [scaleX, scaleY] = [picture.width / rescaled.width, picture.height / rescaled.height];
  return { x: x * scaleX, y: y * scaleY, width: crop * scaleX, height: crop * scaleY };
}

/** Keeps each activation with probability 1/2 and doubles it; a 32-bit draw decides 32 of them. */
function fillDropout(mask: Float32Array, random: Random): void {
  let bits = 0;
  for (let i = 0; i < mask.length; i++) {
    if (i % 32 === 0) bits = random.next() * 2 ** 32;
    mask[i] = ((bits >>> (i % 32)) & 1) * 2;
  }
}
