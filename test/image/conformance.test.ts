import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeAtScales } from '../../src/image/decode.ts';
import { limits } from './pictures.ts';

/** A file of four flat quadrants (scripts/fixtures/images.py), and what it has to look like or why it is refused. */
interface Case {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** Top left, top right, bottom left, bottom right, as displayed. */
  readonly colours: readonly (readonly number[])[];
  readonly tolerance: number;
  readonly code?: string;
  readonly reason?: string;
}

const folder = new URL('../fixtures/images/', import.meta.url);
const cases = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as Case[];

describe('a viewer and this decoder see the same', () => {
  it.each(cases.filter(({ code }) => code === undefined))('$file', async (expected) => {
    const bytes = readFileSync(new URL(expected.file, folder));
    const side = Math.min(expected.width, expected.height);
    const { width, height, pictures } = await decodeAtScales(bytes, [side], limits);
    expect([width, height]).toEqual([expected.width, expected.height]);
    const { pixels } = pictures[0]!;
    const colourAt = (x: number, y: number): number[] => {
      const at = (Math.round(y * height) * width + Math.round(x * width)) * 3;
      return [...pixels.subarray(at, at + 3)];
    };
    const seen = [colourAt(0.25, 0.25), colourAt(0.75, 0.25), colourAt(0.25, 0.75), colourAt(0.75, 0.75)];
    const worst = Math.max(
      ...seen.flatMap((colour, i) => colour.map((value, c) => Math.abs(value - expected.colours[i]![c]!))),
    );
    expect(worst, `${JSON.stringify(seen)} for ${JSON.stringify(expected.colours)}`).toBeLessThanOrEqual(
      expected.tolerance,
    );
  });
});

describe('a whole file of a variant that is not decoded is refused by name', () => {
  it.each(cases.filter(({ code }) => code !== undefined))('$file', async ({ file, code, reason }) => {
    const bytes = readFileSync(new URL(file, folder));
    await expect(decodeAtScales(bytes, [16], limits)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(reason!),
    });
  });
});
