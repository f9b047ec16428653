import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeIssues } from '../../src/options/issues.ts';
import { readOptions } from '../../src/options/read.ts';
import { group } from './groups.ts';

const read = (received: unknown) => readOptions(group, received, 'INVALID_OPTION');

const defaults = {
  top: 5,
  width: 1,
  view: 'dense',
  flip: true,
  localise: false,
  weights: '/a/path',
  run: [],
};

it('that is a part of a document, with an id, is described as any other', () => {
  const inner = z.strictObject({ batch: z.int().min(1).max(8) }).meta({ id: 'InnerOfThisTest' });
  const outer = z.strictObject({ settings: inner, type: z.enum(['a', 'b']) }).meta({ id: 'OuterOfThisTest' });
  const reasons = (value: unknown) =>
    describeIssues(outer, outer.safeParse(value).error!.issues, value, { kind: 'field' });
  expect(reasons({ settings: { batch: 9 }, type: 'c' })).toEqual([
    'settings.batch: expected an integer from 1 to 8; received 9',
    'type: expected a, b; received "c"',
  ]);
  expect(reasons({ settings: { size: 1 }, type: 'a' })).toEqual([
    'settings.batch: expected an integer from 1 to 8; received nothing',
    'unknown field "settings.size"; expected some of settings.batch',
  ]);
});

describe('a group of options', () => {
  it('has its defaults', () => {
    expect(read({})).toEqual(defaults);
  });

  it.each<[Record<string, unknown>, Record<string, unknown>]>([
    [
      { top: '3', width: '.25', flip: 'false', view: 'crops' },
      { top: 3, width: 0.25, flip: false, view: 'crops' },
    ],
    [{ scales: '128, 160' }, { scales: [128, 160] }],
    [{ scales: ['128', '160'] }, { scales: [128, 160] }],
    [{ scales: ['128,160', '192'] }, { scales: [128, 160, 192] }],
    [{ scales: [128, 160] }, { scales: [128, 160] }],
    [{ networks: 'd,e' }, { networks: ['d', 'e'] }],
    [{ networks: ['1'] }, { networks: ['1'] }],
    [{ run: ['a,b', 'c'] }, { run: ['a,b', 'c'] }],
    [{ range: '32-64' }, { range: { min: 32, max: 64 } }],
    [{ range: { min: 32, max: 64 } }, { range: { min: 32, max: 64 } }],
    [{ weights: 'true' }, { weights: 'true' }],
  ])('takes texts and values: %j', (received, values) => {
    expect(read(received)).toEqual({ ...defaults, ...values });
  });

  it.each<[unknown, string]>([
    [{ top: 'many' }, 'top: expected an integer from 1 to 1000; received "many"'],
    [{ top: '0' }, 'top: expected an integer from 1 to 1000; received 0'],
    [{ top: '' }, 'top: expected an integer from 1 to 1000; received ""'],
    [{ top: '1.5' }, 'top: expected an integer from 1 to 1000; received "1.5"'],
    [{ top: '0x10' }, 'received "0x10"'],
    [{ top: '1e2' }, 'received "1e2"'],
    [{ top: ['1', '2'] }, 'top: expected an integer from 1 to 1000; received ["1","2"]'],
    [{ top: Number.NaN }, 'top: expected an integer from 1 to 1000; received NaN'],
    [{ top: null }, 'top: expected an integer from 1 to 1000; received null'],
    [{ width: '0' }, 'width: expected a number over 0, at most 4; received 0'],
    [{ microBatch: 33 }, 'microBatch: expected an integer of at least 1, a multiple of 32; received 33'],
    [{ scales: '128,x' }, 'scales.1: expected an integer from 32 to 512; received "x"'],
    [{ scales: '' }, 'scales.0: expected an integer from 32 to 512; received ""'],
    [{ scales: [] }, 'scales: expected a list of 1 to 3 values, each an integer from 32 to 512; received []'],
    [{ scales: 128 }, 'received 128'],
    [{ networks: ',' }, 'networks.0: expected text of 1 to 9 characters; received ""'],
    [{ view: 'sideways' }, 'view: expected dense, crops; received "sideways"'],
    [{ flip: 'maybe' }, 'flip: expected true or false; received "maybe"'],
    [{ range: 'wide' }, 'range.min: expected an integer; received NaN'],
    [{ range: { min: 1 } }, 'range.max: expected an integer; received nothing'],
    [
      { range: { min: 1, max: 2, mid: 3 } },
      'unknown option "range.mid"; expected some of range.min, range.max',
    ],
    [{ token: 'too short' }, 'token: expected text of at least 16 characters; received 9 characters'],
    [
      { weights: 'x'.repeat(100).split('') },
      `received ${JSON.stringify('x'.repeat(100).split('')).slice(0, 80)}...`,
    ],
    [{ colour: 'red', size: 1 }, 'unknown option "colour", "size"; expected some of top, width, microBatch,'],
    [JSON.parse('{"__proto__": "1"}'), 'unknown option "__proto__"'],
    [{ constructor: '1' }, 'unknown option "constructor"'],
    [null, 'expected an object; received null'],
    [['top'], 'expected an object; received ["top"]'],
  ])('refuses %j with all reasons', (received, message) => {
    expect(() => read(received)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });

  it('is refused with all reasons at once', () => {
    expect(() => read({ top: 0, flip: 1 })).toThrow(
      'top: expected an integer from 1 to 1000; received 0. flip: expected true or false; received 1',
    );
  });

  it('of thousands of wrong values is refused in a few lines', () => {
    expect(() => read({ networks: ','.repeat(5000) })).toThrow(/networks\.9: [^.]*\. and 4991 more$/);
    const names = Array.from({ length: 5000 }, (_, i) => `n${i}`);
    expect(() => read(Object.fromEntries(names.map((name) => [name, '1'])))).toThrow(
      '"n9", ...; expected some of',
    );
  });

  it('reads long texts in no time to speak of', () => {
    expect(() => read({ width: `${'1'.repeat(100_000)}x` })).toThrow('width: expected a number over 0');
  });

  it('of any texts is read or refused, and never worse', () => {
    const value = fc.oneof(fc.string(), fc.array(fc.string(), { maxLength: 3 }), fc.jsonValue());
    const name = fc.oneof(fc.constantFrom(...Object.keys(group.shape)), fc.string());
    fc.assert(
      fc.property(fc.dictionary(name, value), (received) => {
        try {
          expect(group.safeParse(read(received)).success).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(/expected/) });
        }
      }),
    );
  });

  it('means the same as texts, however the list is written', () => {
    const scales = fc.array(fc.integer({ min: 32, max: 512 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(scales, (scales) => {
        const texts = scales.map(String);
        for (const written of [scales, texts, texts.join(',')]) {
          expect(read({ scales: written }).scales).toEqual(scales);
        }
      }),
    );
  });
});

it("words a schema's own checks as they are, with what was received", () => {
  const schema = z
    .strictObject({ a: z.string().regex(/^a/, 'expected a text that begins with a'), b: z.int(), c: z.int() })
    .check(({ value, issues }) => {
      if (value.b > value.c)
        issues.push({
          code: 'custom',
          input: value,
          path: ['b'],
          message: 'expected at most c (1); received 2',
        });
    });
  const words = (received: unknown) =>
    describeIssues(schema, schema.safeParse(received).error!.issues, received, { kind: 'field' });
  expect(words({ a: 'b', b: 1, c: 1 })).toEqual(['a: expected a text that begins with a; received "b"']);
  expect(words({ a: 'a', b: 2, c: 1 })).toEqual(['b: expected at most c (1); received 2']);
  expect(words({})).toEqual([
    'a: expected text; received nothing',
    'b: expected an integer; received nothing',
    'c: expected an integer; received nothing',
  ]);
});
