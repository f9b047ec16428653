import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxAspect, rescale, rescaledSize } from '../../src/image/rescale.ts';
import { difference, drawPicture, mirror, triangleFilter } from './pictures.ts';

describe('rescaledSize', () => {
  const side = fc.integer({ min: 1, max: 100_000 });
  const scale = fc.integer({ min: 32, max: 1024 });

  it('keeps the aspect and rounds', () => {
    expect(rescaledSize(640, 480, 256)).toEqual({ width: 341, height: 256 });
    expect(rescaledSize(480, 640, 256)).toEqual({ width: 256, height: 341 });
    expect(rescaledSize(7, 7, 256)).toEqual({ width: 256, height: 256 });
    expect(rescaledSize(10_000, 100, 128)).toEqual({ width: 1024, height: 128 });
  });

  it('has the scale as its smaller side and a bounded, rounded larger one', () => {
    fc.assert(
      fc.property(side, side, scale, (width, height, q) => {
        const size = rescaledSize(width, height, q);
        expect(Math.min(size.width, size.height)).toBe(q);
        const long = Math.max(size.width, size.height);
        const exact = (q * Math.max(width, height)) / Math.min(width, height);
        expect(Math.abs(long - Math.min(exact, maxAspect * q))).toBeLessThanOrEqual(0.5);
        if (width > height) expect(size.width).toBe(long);
        if (width < height) expect(size.height).toBe(long);
      }),
    );
  });

  it('turns with the image', () => {
    fc.assert(
      fc.property(side, side, scale, (width, height, q) => {
        const { width: w, height: h } = rescaledSize(width, height, q);
        expect(rescaledSize(height, width, q)).toEqual({ width: h, height: w });
      }),
    );
  });
});

describe('rescale', () => {
  const picture = drawPicture(60, 47);

  it.each([
    ['reduced', 45, 35],
    ['reduced by an odd factor', 17, 13],
    ['enlarged', 90, 71],
    ['enlarged a little', 61, 48],
    ['enlarged much', 480, 376],
    ['reduced on one axis, enlarged on the other', 30, 94],
    ['of the same height', 77, 47],
  ])('is a triangle filter: %s', async (_, width, height) => {
    const rescaled = await rescale(picture, { width, height });
    expect(rescaled).toMatchObject({ width, height });
    const { mean, max } = difference(rescaled.pixels, triangleFilter(picture, width, height));
    expect(mean).toBeLessThan(0.6); // rounding to bytes alone: 0.25
    expect(max).toBeLessThan(3);
  });

  it('stays near the filter where a box filter begins', async () => {
    const large = drawPicture(480, 360);
    const { pixels } = await rescale(large, { width: 64, height: 48 });
    expect(difference(pixels, triangleFilter(large, 64, 48)).mean).toBeLessThan(1.5);
  });

  it('leaves a picture of the right size alone', async () => {
    expect(await rescale(picture, { width: 60, height: 47 })).toBe(picture);
  });

  it('keeps a flat colour, from a single pixel too', async () => {
    const flat = { width: 1, height: 1, pixels: Uint8Array.of(200, 100, 7) };
    const { pixels } = await rescale(flat, { width: 40, height: 33 });
    expect(pixels).toEqual(Uint8Array.from({ length: 40 * 33 * 3 }, (_, i) => [200, 100, 7][i % 3]!));
  });

  it('commutes with mirroring', async () => {
    const size = { width: 96, height: 75 };
    const a = mirror(await rescale(picture, size));
    const b = await rescale(mirror(picture), size);
    expect(difference(a.pixels, b.pixels).max).toBeLessThanOrEqual(1);
  });
});
