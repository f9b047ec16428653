import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeAtScales } from '../../src/image/decode.ts';
import type { Picture } from '../../src/image/picture.ts';
import { rescaledSize } from '../../src/image/rescale.ts';
import { difference, drawPicture, encoder, limits } from './pictures.ts';

const original = drawPicture(48, 36);

/** The image at its own size. */
async function decodeWhole(bytes: Uint8Array): Promise<Picture> {
  const { width, height, pictures } = await decodeAtScales(bytes, [36], limits);
  expect(pictures[0]).toMatchObject({ width, height });
  return pictures[0]!;
}

async function expectOriginal(bytes: Uint8Array, meanTolerance: number): Promise<void> {
  const { pixels } = await decodeWhole(bytes);
  expect(difference(pixels, original.pixels).mean).toBeLessThanOrEqual(meanTolerance);
}

describe('formats', () => {
  it('decodes lossless files exactly', async () => {
    await expectOriginal(await encoder(original).png().toBuffer(), 0);
    await expectOriginal(await encoder(original).png({ progressive: true }).toBuffer(), 0);
    await expectOriginal(await encoder(original).webp({ lossless: true }).toBuffer(), 0);
    await expectOriginal(await encoder(original).tiff({ compression: 'deflate' }).toBuffer(), 0);
  });

  it('decodes lossy files closely', async () => {
    const full = { quality: 100, chromaSubsampling: '4:4:4' };
    await expectOriginal(await encoder(original).jpeg(full).toBuffer(), 1);
    await expectOriginal(
      await encoder(original)
        .jpeg({ ...full, progressive: true })
        .toBuffer(),
      1,
    );
    await expectOriginal(await encoder(original).avif(full).toBuffer(), 2);
    await expectOriginal(await encoder(original).webp({ quality: 100 }).toBuffer(), 4);
    await expectOriginal(await encoder(original).gif({ dither: 0 }).toBuffer(), 8);
  });

  it('takes the first of several frames', async () => {
    const flat = (value: number): Uint8Array => new Uint8Array(20 * 10 * 3).fill(value);
    const frames = Buffer.concat([flat(200), flat(40), flat(90)]);
    const raw = { width: 20, height: 30, channels: 3, pageHeight: 10 } as const;
    for (const format of ['gif', 'webp', 'tiff'] as const) {
      const bytes = await sharp(frames, { raw }).toFormat(format, { lossless: true }).toBuffer();
      expect((await sharp(bytes).metadata()).pages).toBe(3);
      const { width, height, pictures } = await decodeAtScales(bytes, [10], limits);
      expect([width, height]).toEqual([20, 10]);
      expect(difference(pictures[0]!.pixels, flat(200)).max).toBeLessThanOrEqual(1);
    }
  });
});

describe('colours', () => {
  it('makes three channels of grey', async () => {
    for (const space of ['b-w', 'grey16']) {
      const bytes = await encoder(original).greyscale().toColourspace(space).png().toBuffer();
      expect((await sharp(bytes).metadata()).channels).toBe(1);
      const { pixels } = await decodeWhole(bytes);
      for (let i = 0; i < pixels.length; i += 3) {
        expect([pixels[i + 1], pixels[i + 2]]).toEqual([pixels[i], pixels[i]]);
      }
    }
  });

  it('makes eight bits of sixteen', async () => {
    const bytes = await encoder(original).toColourspace('rgb16').png().toBuffer();
    expect((await sharp(bytes).metadata()).depth).toBe('ushort');
    await expectOriginal(bytes, 1);
  });

  it('makes RGB of CMYK, as near as inks come', async () => {
    const bytes = await encoder(original).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(bytes).metadata()).space).toBe('cmyk');
    await expectOriginal(bytes, 16);
  });

  it('lays what is transparent on white', async () => {
    const rgba = Buffer.from([0, 0, 0, 0, 10, 20, 30, 255, 100, 0, 200, 102, 255, 0, 0, 51]);
    const source = sharp(rgba, { raw: { width: 4, height: 1, channels: 4 } });
    for (const bytes of [
      await source.clone().png().toBuffer(),
      await source.clone().webp({ lossless: true, exact: true }).toBuffer(),
      await source.clone().toColourspace('rgb16').png().toBuffer(),
    ]) {
      const { pictures } = await decodeAtScales(bytes, [1], limits);
      const onWhite = [255, 255, 255, 10, 20, 30, 193, 153, 233, 255, 204, 204];
      expect(difference(pictures[0]!.pixels, onWhite).max).toBeLessThanOrEqual(1);
    }
  });

  it('lays grey with transparency on white', async () => {
    const bytes = await sharp(Buffer.from([100, 102]), { raw: { width: 1, height: 1, channels: 2 } })
      .png()
      .toBuffer();
    const { pictures } = await decodeAtScales(bytes, [1], limits);
    expect(difference(pictures[0]!.pixels, [193, 193, 193]).max).toBeLessThanOrEqual(1);
  });

  it('follows an ICC profile', async () => {
    const bytes = await encoder(original).withIccProfile('p3').png().toBuffer();
    const unprofiled = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer();
    expect(difference(unprofiled, original.pixels).mean).toBeGreaterThan(4);
    await expectOriginal(bytes, 2);
  });
});

describe('orientation', () => {
  /** Where the displayed pixel (x, y) is stored in a picture of `width` x `height` (EXIF 2.32, 4.6.4, tag 274). */
  const stored: Record<number, (x: number, y: number, width: number, height: number) => [number, number]> = {
    1: (x, y) => [x, y],
    2: (x, y, width) => [width - 1 - x, y],
    3: (x, y, width, height) => [width - 1 - x, height - 1 - y],
    4: (x, y, _, height) => [x, height - 1 - y],
    5: (x, y) => [y, x],
    6: (x, y, _, height) => [y, height - 1 - x],
    7: (x, y, width, height) => [width - 1 - y, height - 1 - x],
    8: (x, y, width) => [width - 1 - y, x],
  };

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('turns pictures of EXIF orientation %i upright', async (orientation) => {
    const { width: w, height: h } = original;
    const [width, height] = orientation < 5 ? [w, h] : [h, w];
    const upright = Uint8Array.from({ length: w * h * 3 }, (_, i) => {
      const [x, y] = stored[orientation]!(Math.floor(i / 3) % width, Math.floor(i / 3 / width), w, h);
      return original.pixels[(y * w + x) * 3 + (i % 3)]!;
    });
    const source = encoder(original).withMetadata({ orientation });
    const exact = await decodeWhole(await source.clone().png().toBuffer());
    expect(exact).toEqual({ width, height, pixels: upright });
    const close = await decodeWhole(
      await source.clone().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(),
    );
    expect(close).toMatchObject({ width, height });
    expect(difference(close.pixels, upright).mean).toBeLessThan(1);
  });

  it('turns what is decoded at reduced size as well', async () => {
    const large = encoder(drawPicture(640, 400));
    const turned = await large.clone().withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
    const upright = await large.clone().rotate(90).jpeg({ quality: 95 }).toBuffer();
    const [a, b] = [await decodeAtScales(turned, [32], limits), await decodeAtScales(upright, [32], limits)];
    expect([a.width, a.height]).toEqual([400, 640]);
    expect(a.pictures[0]).toMatchObject({ width: 32, height: 51 });
    expect(difference(a.pictures[0]!.pixels, b.pictures[0]!.pixels).mean).toBeLessThan(2);
  });
});

describe('scales', () => {
  it.each([
    ['a photograph', 300, 200],
    ['a tiny image', 3, 2],
    ['one pixel', 1, 1],
    ['a panorama', 1500, 20],
    ['a thread', 1, 900],
  ])('makes a picture of every scale from %s', async (_, width, height) => {
    const bytes = await encoder(drawPicture(width, height)).png().toBuffer();
    const scales = [64, 32, 96];
    const decoded = await decodeAtScales(bytes, scales, limits);
    expect(decoded).toMatchObject({ width, height });
    decoded.pictures.forEach((picture, i) => {
      const size = rescaledSize(width, height, scales[i]!);
      expect(picture).toMatchObject(size);
      expect(picture.pixels).toHaveLength(size.width * size.height * 3);
    });
  });
});
