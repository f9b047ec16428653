import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boxOf,
  cornerBoxOf,
  intersectionOverUnion,
  type PixelBox,
  relativeToCrop,
} from '../../src/image/box.ts';

const side = fc.double({ min: 0.5, max: 200, noNaN: true });
const place = fc.double({ min: -50, max: 300, noNaN: true });
const boxes = fc.tuple(place, place, side, side);

describe('relative boxes', () => {
  it('is (0.5, 0.5, 1, 1) for a box that is the crop', () => {
    const crop = { x: 10, y: 20, width: 64, height: 32, mirrored: false };
    expect(relativeToCrop([10, 20, 64, 32], crop)).toEqual([0.5, 0.5, 1, 1]);
  });

  it('turns left to right in a mirrored crop', () => {
    const crop = { x: 0, y: 0, width: 100, height: 100, mirrored: true };
    expect(relativeToCrop([0, 0, 20, 50], crop)).toEqual([0.9, 0.25, 0.2, 0.5]);
  });

  it('goes back to the pixels that it came from', () => {
    fc.assert(
      fc.property(boxes, boxes, (box, [x, y, width, height]) => {
        const seen = cornerBoxOf(relativeToCrop(box, { x, y, width, height, mirrored: false }));
        [x + seen.x * width, y + seen.y * height, seen.width * width, seen.height * height].forEach(
          (value, i) => {
            expect(value).toBeCloseTo(box[i]!, 6);
          },
        );
      }),
    );
  });
});

describe('intersection over union', () => {
  const overlap = (a: PixelBox, b: PixelBox): number => intersectionOverUnion(boxOf(a), boxOf(b));

  it('has the known answers', () => {
    expect(overlap([0, 0, 2, 2], [1, 0, 2, 2])).toBeCloseTo(1 / 3, 12);
    expect(overlap([0, 0, 1, 1], [1, 0, 1, 1])).toBe(0);
    expect(overlap([0, 0, -1, 1], [0, 0, 1, 1])).toBe(0);
  });

  it('agrees with counting cells', () => {
    const cells = fc.tuple(
      fc.nat(8),
      fc.nat(8),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 8 }),
    );
    const covers = ([x, y, w, h]: PixelBox, i: number, j: number): boolean =>
      i >= x && i < x + w && j >= y && j < y + h;
    fc.assert(
      fc.property(cells, cells, (a, b) => {
        let both = 0;
        let either = 0;
        for (let i = 0; i < 16; i++) {
          for (let j = 0; j < 16; j++) {
            if (covers(a, i, j) && covers(b, i, j)) both += 1;
            if (covers(a, i, j) || covers(b, i, j)) either += 1;
          }
        }
        expect(overlap(a, b)).toBeCloseTo(both / either, 12);
      }),
    );
  });
});
