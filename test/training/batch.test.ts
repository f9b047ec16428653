import { describe, expect, it } from 'vitest';
import { colourStatistics } from '../../src/image/colour-shift.ts';
import {
  allocateBatch,
  type BatchPlan,
  fillBatch,
  type MicroBatchIndex,
  picturesOf,
  stepsPerEpoch,
} from '../../src/training/batch.ts';
import { epochOrder } from '../../src/training/randomness.ts';

const [width, height] = [70, 52];

/** Black, with a white rectangle. */
function pictureWithBox([left, top, w, h]: readonly [number, number, number, number]) {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = top; y < top + h; y++) pixels.fill(255, (y * width + left) * 3, (y * width + left + w) * 3);
  return { path: '', label: 2, width, height, pixels, box: [left, top, w, h] as const };
}

const picture = pictureWithBox([30, 18, 12, 15]);
const plan: BatchPlan = {
  seed: 5,
  crop: 32,
  scale: { min: 36, max: 52 },
  batch: 12,
  microBatch: 6,
  fc: 40,
  colours: colourStatistics([picture]),
};
const index = { epoch: 1, step: 0, part: 0 };

function filledBy(by: BatchPlan, at: MicroBatchIndex) {
  const batch = allocateBatch(by);
  fillBatch(batch, by, at, new Array(by.microBatch).fill(picture));
  return batch;
}

const filled = (at = index) => filledBy(plan, at);

describe('micro-batches', () => {
  it('have boxes that lie where the crops show them', () => {
    let seen = 0;
    for (let step = 0; step < 10; step++) {
      const { pixels, boxes } = filled({ ...index, step });
      for (let i = 0; i < plan.microBatch; i++) {
        const [centreX, centreY, w, h] = [...boxes.subarray(4 * i, 4 * i + 4)].map((v) => v * plan.crop);
        const [left, top] = [centreX! - w! / 2, centreY! - h! / 2];
        if (left < 1 || top < 1 || left + w! > plan.crop - 1 || top + h! > plan.crop - 1) continue; // cut off
        seen += 1;
        const moments = { mass: 0, x: 0, y: 0 };
        for (let p = 0; p < plan.crop ** 2; p++) {
          const value = pixels[(i * plan.crop ** 2 + p) * 3]! / 255;
          moments.mass += value;
          moments.x += value * ((p % plan.crop) + 0.5);
          moments.y += value * (Math.floor(p / plan.crop) + 0.5);
        }
        expect(moments.x / moments.mass).toBeCloseTo(centreX!, 0);
        expect(moments.y / moments.mass).toBeCloseTo(centreY!, 0);
        expect(moments.mass / (w! * h!)).toBeCloseTo(1, 1);
      }
    }
    expect(seen).toBeGreaterThan(10);
  });

  it('are the same each time, and others at other steps', () => {
    expect(filled()).toEqual(filled());
    expect(filled({ ...index, part: 1 }).pixels).not.toEqual(filled().pixels);
    expect(filled({ ...index, epoch: 2 }).dropout).not.toEqual(filled().dropout);
  });

  it('are the same numbers however the batch is split', () => {
    const whole = filledBy({ ...plan, microBatch: 12 }, index);
    for (const microBatch of [1, 3, 6]) {
      for (let part = 0; part < 12 / microBatch; part++) {
        const micro = filledBy({ ...plan, microBatch }, { ...index, part });
        for (const [have, want] of [
          [micro.pixels, whole.pixels],
          [micro.colourShift, whole.colourShift],
          [micro.boxes, whole.boxes],
          [micro.dropout[0], whole.dropout[0]],
          [micro.dropout[1], whole.dropout[1]],
        ] as const) {
          expect(have).toEqual(want.slice(part * have.length, (part + 1) * have.length));
        }
      }
    }
  });

  it('drop one half of the activations and double the others', () => {
    const values = Array.from({ length: 20 }, (_, step) => filled({ ...index, step }).dropout[0]).flatMap(
      (mask) => [...mask],
    );
    expect(new Set(values)).toEqual(new Set([0, 2]));
    expect(values.reduce((a, b) => a + b) / values.length).toBeCloseTo(1, 1);
  });

  it('make up an epoch in which no picture comes twice', () => {
    const order = epochOrder(1, 1, 50);
    const steps = stepsPerEpoch(50, plan.batch);
    const seen = Array.from({ length: steps }, (_, step) =>
      [0, 1].flatMap((part) => picturesOf(plan, order, { epoch: 1, step, part })),
    ).flat();
    expect(seen).toHaveLength(48);
    expect(new Set(seen).size).toBe(48);
  });

  it('go through a small data set more than once', () => {
    expect(stepsPerEpoch(5, plan.batch)).toBe(1);
    expect(picturesOf(plan, epochOrder(1, 1, 5), { epoch: 1, step: 0, part: 1 })).toHaveLength(6);
  });
});
