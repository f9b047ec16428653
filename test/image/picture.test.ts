import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gridCrops } from '../../src/image/crop-grid.ts';
import { crop } from '../../src/image/picture.ts';
import { drawPicture } from './pictures.ts';

describe('crop', () => {
  it('has the pixels of its rectangle', () => {
    const picture = drawPicture(20, 15);
    const part = crop(picture, 3, 4, 7, 5);
    for (let y = 0; y < 5; y++) {
      for (let x = 0; x < 7; x++) {
        const at = ((y + 4) * 20 + x + 3) * 3;
        expect(part.pixels.subarray((y * 7 + x) * 3, (y * 7 + x) * 3 + 3)).toEqual(
          picture.pixels.subarray(at, at + 3),
        );
      }
    }
  });

  it('lies in the picture', () => {
    const picture = drawPicture(20, 15);
    expect(() => crop(picture, 14, 0, 7, 5)).toThrow(
      new RangeError('expected a crop inside 20 x 15 pixels, received 7 x 5 at (14, 0)'),
    );
    expect(() => crop(picture, -1, 0, 7, 5)).toThrow(RangeError);
    expect(() => crop(picture, 0, 0, 0, 5)).toThrow(RangeError);
  });
});

describe('gridCrops', () => {
  it('spreads 5 x 5 crops evenly, row by row', () => {
    const crops = gridCrops(drawPicture(50, 42), 32);
    expect(crops.slice(0, 5).map(({ x }) => x)).toEqual([0, 5, 9, 14, 18]);
    expect(crops.filter(({ x }) => x === 0).map(({ y }) => y)).toEqual([0, 3, 5, 8, 10]);
  });

  it('reaches all edges, and every crop is cut where it says', () => {
    const sizes = fc.record({ side: fc.integer({ min: 1, max: 12 }), dx: fc.nat(20), dy: fc.nat(20) });
    fc.assert(
      fc.property(sizes, ({ side, dx, dy }) => {
        const picture = drawPicture(side + dx, side + dy);
        const crops = gridCrops(picture, side);
        expect(crops).toHaveLength(25);
        expect(crops[0]).toMatchObject({ x: 0, y: 0 });
        expect(crops[24]).toMatchObject({ x: dx, y: dy });
        for (const { x, y, ...part } of crops) expect(part).toEqual(crop(picture, x, y, side, side));
      }),
      { numRuns: 30 },
    );
  });

  it('needs a picture as large as a crop', () => {
    expect(() => gridCrops(drawPicture(40, 31), 32)).toThrow(RangeError);
  });
});
