import { readdirSync, readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isVerydeepError } from '../../src/errors.ts';
import { decodeAtScales } from '../../src/image/decode.ts';
import { readHeader } from '../../src/image/header.ts';
import { inspectVariant } from '../../src/image/variants/inspect.ts';
import { structureLimits } from '../../src/image/variants/variant.ts';
import { drawPicture, encoder, limits, withScans } from './pictures.ts';

const folder = new URL('../fixtures/images/', import.meta.url);
const fixture = (name: string): Buffer => readFileSync(new URL(name, folder));

const tooComplex = (words: string) => ({
  code: 'IMAGE_TOO_COMPLEX',
  message: expect.stringContaining(words),
});

async function jpegOfScans(more: number): Promise<Buffer> {
  return withScans(await encoder(drawPicture(48, 36)).jpeg({ progressive: true }).toBuffer(), more);
}

function scansOf(jpeg: Buffer): number {
  let scans = 0;
  for (let at = jpeg.indexOf('ffda', 0, 'hex'); at >= 0; at = jpeg.indexOf('ffda', at + 2, 'hex')) scans++;
  return scans;
}

describe('a JPEG', () => {
  it('may have as many scans as the limit, and no more', async () => {
    const own = scansOf(await jpegOfScans(0));
    const most = await jpegOfScans(structureLimits.jpegScans - own);
    expect(inspectVariant('jpeg', most)).toEqual({});
    const beyond = await jpegOfScans(structureLimits.jpegScans - own + 1);
    await expect(readHeader(beyond, limits)).rejects.toMatchObject(tooComplex('50 scans'));
  });

  it('ends where it says, whatever follows', async () => {
    const jpeg = await jpegOfScans(0);
    const trailer = Buffer.concat(Array.from({ length: 80 }, () => Buffer.from([0xff, 0xda, 0, 2])));
    expect(inspectVariant('jpeg', Buffer.concat([jpeg, trailer]))).toEqual({});
  });
});

const crc = Buffer.alloc(4);
const chunk = (type: string, data: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, Buffer.from(type, 'latin1'), data, crc]);
};

describe('a PNG', () => {
  it('reaches the decoder without its texts, and with its colours', async () => {
    const png = fixture('texts.png');
    const { bytes } = inspectVariant('png', png);
    expect(png.includes('zTXt')).toBe(true);
    expect(Buffer.from(bytes!).includes('zTXt')).toBe(false);
    expect(inspectVariant('png', fixture('rgb8-wide.png'))).toEqual({}); // an iCCP chunk is kept
  });

  it('of too many chunks or too long a side is refused', async () => {
    const png = fixture('rgb8.png');
    const empty = chunk('IDAT', Buffer.alloc(0));
    const chunks = Array.from({ length: structureLimits.pngChunks }, () => empty);
    const many = Buffer.concat([png.subarray(0, 33), ...chunks]);
    await expect(readHeader(many, limits)).rejects.toMatchObject(tooComplex('chunks'));
    const { side } = structureLimits;
    for (const height of [side, side + 1]) {
      const raw = { width: 1, height, channels: 3 } as const;
      const tall = await encoder({ ...raw, pixels: new Uint8Array(3 * height) })
        .png()
        .toBuffer();
      const header = readHeader(tall, limits);
      if (height === side) expect(await header).toMatchObject({ width: 1, height });
      else await expect(header).rejects.toMatchObject(tooComplex(`at most ${side} pixels`));
    }
  });
});

/** A TIFF of `pages` directories, each with one tag. */
function tiffOfPages(pages: number): Buffer {
  const directoryBytes = 2 + 12 + 4;
  const tiff = Buffer.alloc(8 + pages * directoryBytes);
  tiff.write('II*\0', 'latin1');
  tiff.writeUInt32LE(8, 4);
  for (let page = 0; page < pages; page++) {
    const at = 8 + page * directoryBytes;
    tiff.writeUInt16LE(1, at);
    tiff.writeUInt16LE(256, at + 2); // ImageWidth, a SHORT
    tiff.writeUInt16LE(3, at + 4);
    tiff.writeUInt32LE(1, at + 6);
    tiff.writeUInt16LE(8, at + 10);
    tiff.writeUInt32LE(page + 1 < pages ? at + directoryBytes : 0, at + 14);
  }
  return tiff;
}

describe('a TIFF', () => {
  it('may have as many pages as the limit, and no more, nor a circle of them', () => {
    const { tiffPages } = structureLimits;
    expect(inspectVariant('tiff', tiffOfPages(tiffPages)).excess).toBeUndefined();
    expect(inspectVariant('tiff', tiffOfPages(tiffPages + 1)).excess).toContain(`${tiffPages} pages`);
    const circle = tiffOfPages(2);
    circle.writeUInt32LE(8, circle.length - 4);
    expect(inspectVariant('tiff', circle).excess).toContain('pages');
  });
});

describe('an AVIF', () => {
  it('says whether grey is stored in limited range', () => {
    expect(inspectVariant('avif', fixture('grey-limited.avif'))).toEqual({ isLimitedGrey: true });
    expect(inspectVariant('avif', fixture('grey-full.avif'))).toEqual({});
  });

  it('without a colour box is asked for the range of its samples', () => {
    for (const name of ['grey-limited.avif', 'grey-full.avif']) {
      const avif = fixture(name);
      avif.write('free', avif.indexOf('colr'), 'latin1');
      expect(inspectVariant('avif', avif).isLimitedGrey).toBe(
        name === 'grey-limited.avif' ? true : undefined,
      );
    }
  });

  it('that is a sequence reaches the decoder as a still image', () => {
    const file = fixture('frames.avif');
    expect(file.toString('latin1', 8, 12)).toBe('avis');
    const { bytes } = inspectVariant('avif', file);
    expect(Buffer.from(bytes!).toString('latin1', 8, 12)).toBe('avif');
    expect(file.toString('latin1', 8, 12)).toBe('avis'); // the caller's bytes stay as they are
  });
});

it('a file of any kind with wrong bytes is refused with a code, or is a picture of the size it says', async () => {
  const files = readdirSync(folder)
    .filter((name) => !name.endsWith('.json'))
    .map(fixture);
  const mutation = fc.record({ at: fc.nat(), value: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...files),
      fc.array(mutation, { minLength: 1, maxLength: 6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (file, mutations, cut) => {
        const bytes = Buffer.from(file);
        for (const { at, value } of mutations) bytes[at % bytes.length] = value;
        const end = cut < 0.3 ? Math.ceil(cut * bytes.length) : bytes.length;
        try {
          const { width, height, pictures } = await decodeAtScales(bytes.subarray(0, end), [16], limits);
          expect(Math.min(pictures[0]!.width, pictures[0]!.height)).toBe(16);
          expect(width * height).toBeGreaterThan(0);
        } catch (error) {
          if (!isVerydeepError(error)) throw error;
        }
      },
    ),
    { numRuns: 300 },
  );
});

it('texts that inflate to much cost nothing', async () => {
  const png = fixture('rgb8.png');
  const text = chunk('zTXt', Buffer.concat([Buffer.from('k\0\0'), deflateSync(Buffer.alloc(8_000_000))]));
  const bomb = Buffer.concat([
    png.subarray(0, 33),
    ...Array.from({ length: 60 }, () => text),
    png.subarray(33),
  ]);
  const { bytes } = inspectVariant('png', bomb);
  expect(bytes!.length).toBe(png.length);
});
