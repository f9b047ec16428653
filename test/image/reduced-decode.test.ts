import { describe, expect, it } from 'vitest';
import { decodeAtScales } from '../../src/image/decode.ts';
import { difference, drawPicture, encoder, limits, triangleFilter } from './pictures.ts';

/**
 * The picture of a scale is what the triangle filter makes of the fully decoded image, but for a difference that
 * docs/images.md states: three levels of 255 on average at most. What is drawn here stays under two. That covers the
 * reduced decoding of JPEG and WebP, and the reduction to a multiple of the largest scale.
 */
const tolerance = 2;

describe.each(['jpeg', 'webp', 'png'] as const)('%s at reduced size', (format) => {
  it.each([
    [700, 500, [32]],
    [700, 500, [32, 48, 64]],
    [1001, 667, [40]],
    [333, 1200, [24, 64]],
  ])('of %i x %i stays near the full decode at scales %j', async (width, height, scales) => {
    const options = format === 'png' ? {} : { quality: 90 };
    const bytes = await encoder(drawPicture(width, height)).toFormat(format, options).toBuffer();
    const full = await decodeAtScales(bytes, [Math.min(width, height)], limits);
    const { pictures } = await decodeAtScales(bytes, scales, limits);
    for (const { pixels, ...size } of pictures) {
      const expected = triangleFilter(full.pictures[0]!, size.width, size.height);
      expect(difference(pixels, expected).mean).toBeLessThan(tolerance);
    }
  });
});
