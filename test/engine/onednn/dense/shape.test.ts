import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  mapLayersOf,
  mapSizesOf,
  paddedRows,
  paddedSize,
} from '../../../../src/engine/onednn/dense/shape.ts';

const side = fc.integer({ min: 32, max: 2000 });

describe('sizes at which pictures are computed', () => {
  it.each([
    [
      { height: 224, width: 224 },
      { height: 224, width: 224 },
    ],
    [
      { height: 171, width: 128 },
      { height: 176, width: 128 },
    ],
    [
      { height: 256, width: 341 },
      { height: 256, width: 352 },
    ],
    [
      { height: 257, width: 513 },
      { height: 288, width: 576 },
    ],
  ])('of %o are %o', (size, padded) => {
    expect(paddedSize(size)).toEqual(padded);
  });

  it('hold the maps of the picture at each layer', () => {
    const spec = { architecture: 'D', width: 1, fc: 8, classes: 3, crop: 32, head: 'classes' } as const;
    const layers = mapLayersOf(spec);
    fc.assert(
      fc.property(side, side, (height, width) => {
        const padded = mapSizesOf(layers, paddedSize({ height, width }));
        mapSizesOf(layers, { height, width }).forEach((size, i) => {
          expect(size.height).toBeLessThanOrEqual(padded[i]!.height);
          expect(size.width).toBeLessThanOrEqual(padded[i]!.width);
        });
      }),
    );
  });

  it('are few: 25 for each side up to 1024 pixels', () => {
    const sides = Array.from(
      { length: 1024 - 127 },
      (_, i) => paddedSize({ height: 128 + i, width: 1 }).height,
    );
    expect(new Set(sides).size).toBe(25);
  });

  it('fill up positions to multiples of eight', () => {
    expect([1, 2, 7, 8, 9, 16, 17, 250].map(paddedRows)).toEqual([1, 2, 7, 8, 16, 16, 24, 256]);
  });
});
