import { z } from 'zod';
import { VerydeepError } from '../../errors.ts';
import { bytesPerNumber, type NumberType, numberTypes } from '../../network/number-types.ts';
import { countOf } from '../../network/weights.ts';
import { describeIssues } from '../../options/issues.ts';
import { duplicateKey } from './duplicate-key.ts';

/** The header of a safetensors file: what tensors it holds and where they lie. */
export interface Header {
  /** In the order in which they lie in the file. */
  readonly places: ReadonlyMap<string, TensorPlace>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A tensor's place in its file, in bytes from the start of the file. */
export interface TensorPlace {
  readonly type: NumberType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/** A file begins with the length of its header, a little-endian uint64. */
export const lengthBytes = 8;

/** Longest header that the format allows. */
const maxHeaderBytes = 100_000_000;

const count = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const entrySchema = z.strictObject({
  dtype: z.enum(numberTypes),
  shape: z.array(count),
  data_offsets: z.tuple([count, count]),
});

/** The length of the header that begins with `start`. Throws INVALID_WEIGHTS if it cannot be; `name` is for messages. */
export function headerBytesOf(start: Buffer, fileBytes: number, name: string): number {
  if (start.length < lengthBytes) throw malformed(name, `it has only ${start.length} bytes`);
  const headerBytes = Number(start.readBigUInt64LE(0));
  if (headerBytes > maxHeaderBytes || lengthBytes + headerBytes > fileBytes) {
    throw malformed(name, `its header of ${headerBytes} bytes does not fit in ${fileBytes} bytes`);
  }
  return headerBytes;
}

/**
 * Reads a header. The tensors must fill the rest of the file, each byte of it once. Throws INVALID_WEIGHTS, which names
 * the tensor.
 */
export function parseHeader(bytes: Buffer, fileBytes: number, name: string): Header {
  const { __metadata__: metadata, ...entries } = parseJson(bytes, name);
  const dataStart = lengthBytes + bytes.length;
  const places = Object.entries(entries)
    .map(([key, entry]): [string, TensorPlace] => [key, placeOf(key, entry, dataStart, name)])
    .sort(([, a], [, b]) => a.offset - b.offset || a.length - b.length);
  checkCover(places, dataStart, fileBytes, name);
  return { places: new Map(places), metadata: metadataOf(metadata, name) };
}

export function malformed(name: string, reason: string): VerydeepError {
  return new VerydeepError('INVALID_WEIGHTS', `${name}: expected a safetensors file, but ${reason}`);
}

// --- helpers ---

function parseJson(bytes: Buffer, name: string): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch {
    throw malformed(name, 'its header is not JSON');
  }
  if (!isObject(header)) throw malformed(name, 'its header is not an object');
  const twice = duplicateKey(text);
  if (twice !== undefined) throw malformed(name, `its header names "${twice}" twice`);
  return header;
}

function metadataOf(metadata: unknown, name: string): Record<string, string> {
  if (metadata === undefined) return {};
  if (isObject(metadata)) {
    const wrong = Object.keys(metadata).find((key) => typeof metadata[key] !== 'string');
    if (wrong === undefined) return metadata as Record<string, string>;
    throw malformed(name, `its metadata "${wrong}" is not a text`);
  }
  throw malformed(name, 'its metadata is not an object');
}

function placeOf(key: string, entry: unknown, dataStart: number, name: string): TensorPlace {
  const { data, error } = entrySchema.safeParse(entry);
  if (error) {
    const reasons = describeIssues(entrySchema, error.issues, entry, { kind: 'field' });
    throw malformed(name, `tensor ${key} is not described: ${reasons.join('. ')}`);
  }
  const { dtype: type, shape, data_offsets: offsets } = data;
  const [begin, end] = offsets;
  const expected = countOf(shape) * bytesPerNumber[type];
  if (end - begin !== expected) {
    const received = `${begin} to ${end}`;
    throw malformed(
      name,
      `tensor ${key} ${type} [${shape.join(', ')}] needs ${expected} bytes and has ${received}`,
    );
  }
  return { type, shape, offset: dataStart + begin, length: expected };
}

/** No byte is of two tensors, and none of no tensor. */
function checkCover(
  places: readonly (readonly [string, TensorPlace])[],
  dataStart: number,
  fileBytes: number,
  name: string,
): void {
  let end = dataStart;
  let before = 'the header';
  for (const [key, { offset, length }] of places) {
    if (offset < end) throw malformed(name, `tensor ${key} overlaps ${before} by ${end - offset} bytes`);
    if (offset > end)
      throw malformed(name, `${offset - end} bytes between ${before} and tensor ${key} are of no tensor`);
    end = offset + length;
    before = `tensor ${key}`;
    if (end > fileBytes) throw malformed(name, `tensor ${key} ends ${end - fileBytes} bytes after the file`);
  }
  if (end < fileBytes) throw malformed(name, `${fileBytes - end} bytes after ${before} are of no tensor`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
