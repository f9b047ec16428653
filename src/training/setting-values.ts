import { z } from 'zod';
import { optionHints } from '../options/hints.ts';
import { readRates } from './schedule.ts';

/** The two settings that are written in a notation of their own: as a number, or as text that says more. */

const maxScale = 4096;
const expectedScale = `expected a side from 1 to ${maxScale} in pixels, or a range of them such as 256-512`;
const expectedRate =
  'expected a learning rate over 0 and below 10 such as 0.01, or a course such as 0.01,60:0.001 with rising epochs';

/** Smallest side S of the training pictures: fixed, or drawn from a range (paper, 3.1). Written `256`, or `256-512`. */
export const scale = z
  .codec(
    z
      .union([z.int().min(1).max(maxScale), z.string().regex(/^\d{1,4}(-\d{1,4})?$/)], {
        error: expectedScale,
      })
      .refine((written) => isRange(rangeOf(written)), { error: expectedScale, abort: true }),
    z.object({ min: z.int(), max: z.int() }),
    { decode: rangeOf, encode: writtenScale },
  )
  .prefault(256)
  .register(optionHints, { value: 'S|MIN-MAX', values: `1 to ${maxScale}, or a range such as \`256-512\`` })
  .describe('Smallest side of the training pictures in pixels: fixed, or drawn from a range.');

/** `0.01`, or `0.01,60:0.001` with changes; schedule.ts reads it. */
export const rate = z
  .codec(
    z
      .union([z.number(), z.string()], { error: expectedRate })
      .refine((written) => readRates(String(written)) !== undefined, { error: expectedRate, abort: true }),
    z.string(),
    { decode: String, encode: (text) => (Number.isNaN(Number(text)) ? text : Number(text)) },
  )
  .prefault(0.01)
  .register(optionHints, {
    value: 'R|R,E:R,...',
    values: 'over 0, below 10, or a course such as `0.01,60:0.001`',
  })
  .describe(
    'Learning rate: divided by ten when validation stops improving, three times at most; or a course, from whose epochs on it is another.',
  );

/** A range of scales as the setting is written. */
export function writtenScale({ min, max }: Readonly<Range>): number | string {
  return min === max ? min : `${min}-${max}`;
}

// --- helpers ---

interface Range {
  min: number;
  max: number;
}

function rangeOf(written: number | string): Range {
  const [min, max = min] = String(written).split('-').map(Number);
  return { min: min!, max: max! };
}

function isRange({ min, max }: Range): boolean {
  return min >= 1 && min <= max && max <= maxScale;
}
