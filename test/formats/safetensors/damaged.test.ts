import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { isVerydeepError } from '../../../src/errors.ts';
import { duplicateKey } from '../../../src/formats/safetensors/duplicate-key.ts';
import { hashSafetensors, openSafetensors } from '../../../src/formats/safetensors/read.ts';
import { writeSafetensors } from '../../../src/formats/safetensors/write.ts';
import { bytesPerNumber } from '../../../src/network/number-types.ts';
import { countOf, storedAs } from '../../../src/network/weights.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { writeByHand } from './files.ts';

const folder = temporaryFolder();
let path: string;
beforeAll(() => {
  path = join(folder, 'x.safetensors');
});

const data = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const a = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
const b = { dtype: 'F32', shape: [2], data_offsets: [8, 16] };

describe('a damaged safetensors file', () => {
  it.each<[string, object | string, string]>([
    ['that overlap', { a, b: { ...b, data_offsets: [4, 12] } }, 'tensor b overlaps tensor a by 4 bytes'],
    ['that are one', { a, b: { ...a } }, 'tensor b overlaps tensor a by 8 bytes'],
    [
      'with a gap',
      { a: { ...a, shape: [1], data_offsets: [0, 4] }, b },
      '4 bytes between tensor a and tensor b',
    ],
    ['after a gap', { b }, '8 bytes between the header and tensor b'],
    ['before more', { a }, '8 bytes after tensor a are of no tensor'],
    ['of none', {}, '16 bytes after the header are of no tensor'],
    ['too large', { a, b: { ...b, shape: [3] } }, 'tensor b F32 [3] needs 12 bytes and has 8 to 16'],
    [
      'after the end',
      { a, b: { ...b, shape: [3], data_offsets: [8, 20] } },
      'tensor b ends 4 bytes after the file',
    ],
    ['of a huge shape', { a, b: { ...b, shape: [2 ** 52, 2 ** 52] } }, 'tensor b F32'],
    [
      'that end before they begin',
      { a, b: { ...b, data_offsets: [16, 8] } },
      'tensor b F32 [2] needs 8 bytes',
    ],
    ['of an unknown type', { a, b: { ...b, dtype: 'F8' } }, 'tensor b is not described: dtype'],
    ['of an inherited type', { a, b: { ...b, dtype: 'toString' } }, 'tensor b is not described: dtype'],
    ['of a broken shape', { a, b: { ...b, shape: [0.5] } }, 'tensor b is not described: shape.0'],
    ['of a negative shape', { a, b: { ...b, shape: [-2, -1] } }, 'tensor b is not described: shape.0'],
    ['without a shape', { a, b: { ...b, shape: null } }, 'tensor b is not described: shape'],
    ['without places', { a, b: { ...b, data_offsets: [8] } }, 'tensor b is not described: data_offsets'],
    ['that are null', { a, b: null }, 'tensor b is not described: expected an object; received null'],
    [
      'with a strange key',
      { a, b: { ...b, also: 1 } },
      'tensor b is not described: unknown field "also"; expected some of dtype,',
    ],
    ['named twice', `{"b":${JSON.stringify(b)},"a":${JSON.stringify(a)},"\\u0061":1}`, 'names "a" twice'],
    ['and metadata of numbers', { __metadata__: { x: 1 }, a, b }, 'its metadata "x" is not a text'],
    ['and no metadata', { __metadata__: null, a, b }, 'its metadata is not an object'],
    ['in a list', [a, b], 'its header is not an object'],
    ['in no JSON', '{"a":', 'its header is not JSON'],
    ['in bytes that are no text', '\uD800', 'its header is not JSON'],
  ])('is refused: tensors %s', (_, header, reason) => {
    writeByHand(path, header, data);
    expect(() => openSafetensors(path)).toThrow(
      expect.objectContaining({ code: 'INVALID_WEIGHTS', message: expect.stringContaining(reason) }),
    );
  });

  it('is not refused where only empty tensors share a place', () => {
    const empty = { dtype: 'F32', shape: [0, 3], data_offsets: [8, 8] };
    writeByHand(path, { b, a, empty, __proto: empty }, data);
    const { tensors } = openSafetensors(path);
    expect([...tensors.keys()]).toEqual(['a', 'empty', '__proto', 'b']);
    expect([...tensors.get('empty')!.parts()]).toEqual([]);
  });

  it.each([
    ['no bytes', Buffer.alloc(0), 'it has only 0 bytes'],
    ['a length that is not whole', Buffer.alloc(7), 'it has only 7 bytes'],
    [
      'a header longer than the file',
      Buffer.from([9, 0, 0, 0, 0, 0, 0, 0]),
      'its header of 9 bytes does not fit in 8',
    ],
    ['a header of 2^64 - 1 bytes', Buffer.alloc(8, 255), 'does not fit'],
  ])('is refused: %s', (_, bytes, reason) => {
    writeFileSync(path, bytes);
    expect(() => openSafetensors(path)).toThrow(
      expect.objectContaining({ code: 'INVALID_WEIGHTS', message: expect.stringContaining(reason) }),
    );
  });

  it.each(['F32', 'F16', 'BF16'] as const)(
    'is refused for a number of %s that is not finite, by its tensor',
    async (type) => {
      const finite = new Map(
        ['first', 'second', 'third'].map((name) => [
          name,
          { shape: [3], data: Float32Array.of(1, -65504, 0) },
        ]),
      );
      await writeSafetensors(path, storedAs(finite, type));
      const good = await hashSafetensors(path);
      const bytes = readFileSync(path);
      const { offset } = openSafetensors(path).tensors.get('second')!;
      const last = offset + 2 * bytesPerNumber[type];
      const infinities = { F32: [0, 0, 0x80, 0x7f], F16: [0, 0x7c], BF16: [0x80, 0xff] }[type];
      const notNumbers = { F32: [1, 0, 0x80, 0xff], F16: [1, 0xfc], BF16: [0xc0, 0x7f] }[type];
      for (const wrong of [infinities, notNumbers]) {
        const copy = Buffer.from(bytes);
        copy.set(wrong, last);
        writeFileSync(path, copy);
        await expect(hashSafetensors(path)).rejects.toMatchObject({
          code: 'INVALID_WEIGHTS',
          message: `${path}: expected numbers, tensor second has one that is infinite or not a number`,
        });
      }
      writeFileSync(path, bytes);
      expect(await hashSafetensors(path)).toBe(good);
    },
  );

  it('is refused where it is none, a folder, or a link to a device or a pipe, without waiting for it', () => {
    expect(() => openSafetensors(join(folder, 'none'))).toThrow(/none: cannot be read: ENOENT/);
    mkdirSync(join(folder, 'folder'));
    expect(() => openSafetensors(join(folder, 'folder'))).toThrow(
      expect.objectContaining({
        code: 'INVALID_WEIGHTS',
        message: expect.stringContaining('received a folder'),
      }),
    );
    if (process.platform === 'win32') return;
    symlinkSync('/dev/zero', join(folder, 'zero'));
    expect(() => openSafetensors(join(folder, 'zero'))).toThrow(/cannot be read: .* received a device/);
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(() => openSafetensors(join(folder, 'pipe'))).toThrow(/cannot be read: .* received a pipe/);
  });

  it('is refused where it is cut off after it was opened', () => {
    writeByHand(path, { a, b }, data);
    const tensor = openSafetensors(path).tensors.get('b')!;
    truncateSync(path, readFileSync(path).length - 1);
    expect(() => [...tensor.parts()]).toThrow(
      expect.objectContaining({ code: 'INVALID_WEIGHTS', message: expect.stringContaining('it ends at') }),
    );
  });
});

describe('any change of a file', () => {
  const tensorNames = ['features.0.weight', 'features.0.bias', 'classifier.6.weight'];
  const header = {
    __metadata__: { names: 'x' },
    'features.0.weight': { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
    'features.0.bias': { dtype: 'F16', shape: [2], data_offsets: [24, 28] },
    'classifier.6.weight': { dtype: 'BF16', shape: [1, 4], data_offsets: [28, 36] },
  };
  const numbers = Buffer.alloc(36, 0x3c);
  const json = JSON.stringify(header);

  /** A value of JSON that a header might have in some place, and mostly should not. */
  const value = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      true,
      '',
      'F32',
      'I64',
      'toString',
      '__proto__',
      {},
      [],
      [0, 8],
      [24, 28],
      [28, 24],
      -1,
      2 ** 53,
      1e308,
    ),
    fc.integer({ min: 0, max: 40 }),
    fc.array(fc.integer({ min: -1, max: 40 }), { maxLength: 4 }),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const entryKey = fc.constantFrom('dtype', 'shape', 'data_offsets', 'x');
  const editedHeader = fc
    .array(
      fc.oneof(
        fc.record({ name: fc.constantFrom(...tensorNames, '__metadata__'), key: entryKey, to: value }),
        fc.record({ name: fc.constantFrom(...tensorNames, '__metadata__', '__proto__', 'new'), to: value }),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((edits) => {
      const copy: Record<string, unknown> = JSON.parse(json);
      for (const edit of edits) {
        const entry = copy[edit.name];
        const inside = 'key' in edit && typeof entry === 'object' && entry !== null;
        const target = inside ? (entry as Record<string, unknown>) : copy;
        Object.defineProperty(target, inside ? edit.key : edit.name, {
          value: edit.to,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return Buffer.from(JSON.stringify(copy));
    });
  const changedBytes = fc
    .array(fc.tuple(fc.nat(json.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = Buffer.from(json);
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    });
  /** A part of the JSON left out, or written twice. */
  const movedText = fc
    .tuple(fc.nat(json.length), fc.nat(json.length), fc.nat(json.length))
    .map(([x, y, z]) =>
      Buffer.from(json.slice(0, x) + json.slice(Math.min(y, z), Math.max(y, z)) + json.slice(y)),
    );

  const withHeader = (bytes: Buffer, length = bytes.length): Buffer => {
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(BigInt(length));
    return Buffer.concat([start, bytes, numbers]);
  };
  const whole = withHeader(Buffer.from(json));
  const changed = fc.oneof(
    { weight: 4, arbitrary: editedHeader.map((bytes) => withHeader(bytes)) },
    { weight: 3, arbitrary: changedBytes.map((bytes) => withHeader(bytes)) },
    { weight: 2, arbitrary: movedText.map((bytes) => withHeader(bytes)) },
    { weight: 1, arbitrary: fc.nat(whole.length + 9).map((length) => withHeader(Buffer.from(json), length)) },
    { weight: 1, arbitrary: fc.nat(whole.length - 1).map((end) => whole.subarray(0, end)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  );

  it('is refused by its code, or leaves tensors that share the data among them', () => {
    let refused = 0;
    let read = 0;
    fc.assert(
      fc.property(changed, (bytes) => {
        writeFileSync(path, bytes);
        try {
          const parts: Buffer[] = [];
          for (const { type, shape, length, parts: take } of openSafetensors(path).tensors.values()) {
            expect(length).toBe(countOf(shape) * bytesPerNumber[type]);
            parts.push(...Array.from(take(), (part) => Buffer.from(part)));
          }
          const headerBytes = Number(bytes.readBigUInt64LE());
          expect(Buffer.concat(parts).equals(bytes.subarray(8 + headerBytes))).toBe(true);
          read += 1;
        } catch (error) {
          if (!isVerydeepError(error)) throw error;
          expect(error.code).toBe('INVALID_WEIGHTS');
          refused += 1;
        }
      }),
      { numRuns: 3000 },
    );
    // Metadata and names may change unnoticed here; the hash in the manifest is what notices.
    expect(refused).toBeGreaterThan(1000);
    expect(read).toBeGreaterThan(10);
  });
});

describe('a key that is there twice', () => {
  it('is found wherever JSON.parse would lose one', () => {
    const key = fc.constantFrom('a', 'b', 'ab', '"', '\\', 'é', '\u2028', '{', ':');
    const tree = fc.letrec<{ node: readonly [string, string | undefined] }>((tie) => ({
      node: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.jsonValue({ maxDepth: 0 }).map((leaf) => [JSON.stringify(leaf), undefined] as const),
        fc.array(fc.tuple(key, tie('node')), { maxLength: 4 }).map((entries) => {
          const text = entries.map(([name, [inner]]) => `${JSON.stringify(name)} :\n${inner}`).join(', ');
          const inside = entries.map(([, [, twice]]) => twice);
          // The key that ends first: that of an inner object before its own name could be met again.
          let twice: string | undefined;
          const names: string[] = [];
          for (const [i, [name]] of entries.entries()) {
            twice ??= names.includes(name) ? name : undefined;
            names.push(name);
            twice ??= inside[i];
          }
          return [`{${text}}`, twice] as const;
        }),
        fc
          .array(tie('node'), { maxLength: 3 })
          .map(
            (items) =>
              [
                `[${items.map(([text]) => text).join()}]`,
                items.find(([, twice]) => twice !== undefined)?.[1],
              ] as const,
          ),
      ),
    })).node;
    fc.assert(
      fc.property(tree, ([text, expected]) => {
        JSON.parse(text);
        expect(duplicateKey(text)).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });
});
