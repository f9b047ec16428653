import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeAtScales } from '../../src/image/decode.ts';
import { readHeader } from '../../src/image/header.ts';
import { drawPicture, encoder, limits } from './pictures.ts';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** A `ftyp` box of ISO's base media format, and something after it. */
function baseMedia(major: string, ...compatible: string[]): Uint8Array {
  const brands = [major, '\0\0\0\0', ...compatible].join('');
  return text(`\0\0\0${String.fromCharCode(8 + brands.length)}ftyp${brands}\0\0\0\x08free`);
}

/** A PNG of one IDAT chunk that says to be of some size. */
function pngOfSize(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([text(type), data]);
    const framed = Buffer.alloc(body.length + 8);
    framed.writeUInt32BE(data.length, 0);
    body.copy(framed, 4);
    framed.writeUInt32BE(crc32(body), body.length + 4);
    return framed;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8); // 8 bits a channel, RGB
  return Buffer.concat([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(new Uint8Array(1 << 16))),
    chunk('IEND', new Uint8Array()),
  ]);
}

describe('readHeader', () => {
  it.each(['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const)('reads %s', async (format) => {
    const bytes = await encoder(drawPicture(33, 21)).toFormat(format).toBuffer();
    expect(await readHeader(bytes, limits)).toMatchObject({ format, width: 33, height: 21 });
  });

  it('says the size as displayed', async () => {
    const bytes = await encoder(drawPicture(33, 21)).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(await readHeader(bytes, limits)).toMatchObject({ format: 'jpeg', width: 21, height: 33 });
  });

  it('needs bytes', async () => {
    await expect(readHeader(new Uint8Array(), limits)).rejects.toMatchObject({
      code: 'NO_IMAGE',
      message: 'expected an image file, received no bytes',
    });
  });

  it('refuses a file that is too large, whatever it is', async () => {
    await expect(readHeader(new Uint8Array(101), { ...limits, maxFileBytes: 100 })).rejects.toMatchObject({
      code: 'FILE_TOO_LARGE',
      statusCode: 413,
      message: 'expected a file of at most 100 bytes, received 101',
    });
  });

  it.each([
    ['SVG', text('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>')],
    ['SVG with a declaration', text('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['PDF', text('%PDF-1.7\n1 0 obj')],
    ['HTML', text('<!doctype html><title>no</title>')],
    ['BMP', text('BM\x36\0\0\0\0\0\0\0')],
    ['PPM', text('P6 1 1 255 abc')],
    ['HEIC', baseMedia('heic', 'mif1', 'heic')],
    ['MP4', baseMedia('isom', 'isom', 'iso2', 'avc1')],
    ['WAV', text('RIFF\x24\0\0\0WAVEfmt ')],
    ['one byte', Uint8Array.of(0xff)],
    ['zeros', new Uint8Array(64)],
  ])('refuses %s', async (_, bytes) => {
    await expect(readHeader(bytes, limits)).rejects.toMatchObject({
      code: 'UNSUPPORTED_IMAGE',
      statusCode: 415,
    });
  });

  it('shows how a refused file begins', async () => {
    await expect(readHeader(text('%PDF-1.7\n'), limits)).rejects.toThrow(
      'expected a JPEG, PNG, WebP, AVIF, GIF or TIFF image, received a file that begins with 25 50 44 46 2d 31 2e 37',
    );
  });

  it('lets no other decoder see what follows the first bytes of a JPEG', async () => {
    const polyglot = Buffer.concat([
      Uint8Array.of(0xff, 0xd8, 0xff),
      text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>',
      ),
    ]);
    await expect(decodeAtScales(polyglot, [32], limits)).rejects.toMatchObject({ code: 'CORRUPT_IMAGE' });
  });

  it('refuses 400 million pixels in a file of 200 bytes by its header', async () => {
    const bomb = pngOfSize(20_000, 20_000);
    expect(bomb.length).toBeLessThan(200);
    const refusal = {
      code: 'TOO_MANY_PIXELS',
      statusCode: 413,
      message: 'expected an image of at most 50000000 pixels, received 20000 x 20000 = 400000000',
    };
    await expect(readHeader(bomb, limits)).rejects.toMatchObject(refusal);
    await expect(decodeAtScales(bomb, [32], limits)).rejects.toMatchObject(refusal);
  });
});
