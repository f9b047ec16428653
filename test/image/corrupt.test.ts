import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isVerydeepError, type VerydeepError } from '../../src/errors.ts';
import { type DecodedImage, decodeAtScales } from '../../src/image/decode.ts';
import { difference, drawPicture, encoder, limits } from './pictures.ts';

const formats = ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const;
const original = drawPicture(64, 48);
const files = Object.fromEntries(
  await Promise.all(
    formats.map(async (format) => [format, await encoder(original).toFormat(format).toBuffer()] as const),
  ),
);

/** The decoded image, or the code of the refusal; anything else thrown fails the test. */
async function outcome(bytes: Uint8Array): Promise<DecodedImage | string> {
  try {
    return await decodeAtScales(bytes, [48], limits);
  } catch (error) {
    if (isVerydeepError(error)) return error.code;
    throw error;
  }
}

const refusals = ['CORRUPT_IMAGE', 'UNSUPPORTED_IMAGE', 'TOO_MANY_PIXELS', 'IMAGE_TOO_COMPLEX', 'NO_IMAGE'];

describe.each(formats)('a broken %s', (format) => {
  const whole = files[format]!;

  it.each([0.3, 0.5, 0.8])('cut off at %f of its length is corrupt, and says why', async (share) => {
    const half = whole.subarray(0, Math.floor(whole.length * share));
    const error = await decodeAtScales(half, [48], limits).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'CORRUPT_IMAGE', statusCode: 422 });
    const { message } = error as VerydeepError;
    expect(message).toMatch(
      /^expected a whole (JPEG|PNG|WEBP|AVIF|GIF|TIFF) image, received a corrupt one: [\x20-\x7e]{4,120}$/,
    );
    expect(message).not.toMatch(/Vips|load|buffer|\//i);
  });

  it('cut off in its header is corrupt, and says why', async () => {
    const error = await decodeAtScales(whole.subarray(0, 20), [48], limits).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'CORRUPT_IMAGE', message: expect.stringMatching(/: .*[^:]$/) });
  });

  it('cut off anywhere is refused, or the right picture', async () => {
    const right = (await decodeAtScales(whole, [48], limits)).pictures[0]!;
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (length) => {
        const result = await outcome(whole.subarray(0, length));
        if (typeof result === 'string') expect(refusals).toContain(result);
        else expect(difference(result.pictures[0]!.pixels, right.pixels).mean).toBeLessThan(0.5);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('with wrong bytes is refused, or a picture of the size it says', async () => {
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        const result = await outcome(bytes);
        if (typeof result === 'string') expect(refusals).toContain(result);
        else
          for (const { width, height, pixels } of result.pictures)
            expect(pixels).toHaveLength(width * height * 3);
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  it('of its first bytes and then noise is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (noise) => {
        const result = await outcome(Buffer.concat([whole.subarray(0, 12), noise]));
        expect(refusals).toContain(result);
      }),
      { numRuns: 40, seed: 3 },
    );
  });
});

it('refuses random bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
      expect(refusals).toContain(await outcome(bytes));
    }),
  );
});
