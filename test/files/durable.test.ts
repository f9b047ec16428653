import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDurably } from '../../src/files/durable.ts';

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'verydeep-'));
  path = join(folder, 'file');
});
afterAll(() => rmSync(folder, { recursive: true }));

const megabyte = 2 ** 20;

describe('a file that is written in parts', () => {
  it('holds them in order, whatever their sizes, though one buffer makes them all', async () => {
    const sizes = fc.array(
      fc.oneof(fc.constantFrom(0, 1, megabyte - 1, megabyte, megabyte + 1), fc.nat(3 * megabyte)),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const bytes = lengths.reduce((a, b) => a + b, 0);
        const buffer = new Uint8Array(3 * megabyte);
        function* parts(): Generator<Uint8Array> {
          for (const [i, length] of lengths.entries()) yield buffer.fill(i + 1).subarray(0, length);
        }
        await writeDurably(path, { bytes, parts: parts() });
        const expected = Buffer.concat(lengths.map((length, i) => Buffer.alloc(length, i + 1)));
        expect(readFileSync(path).equals(expected)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('is as it was where a part fails, and what made the parts is closed', async () => {
    await writeDurably(path, 'old');
    let closed = false;
    function* parts(): Generator<Uint8Array> {
      try {
        yield new Uint8Array(2 * megabyte);
        throw new Error('no more');
      } finally {
        closed = true;
      }
    }
    await expect(writeDurably(path, { bytes: 0, parts: parts() })).rejects.toThrow('no more');
    expect(closed).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
  });
});
