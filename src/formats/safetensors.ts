import { open, readFile } from 'node:fs/promises';
import { messageOf, VerydeepError } from '../errors.ts';
import type { Weights } from '../network/weights.ts';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half.ts';

/** Types that this reader knows, with the bytes of one number. */
const bytesOf = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1 } as const;

export type StoredType = keyof typeof bytesOf;

/** A tensor as it lies in the file. */
export interface StoredTensor {
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** Little-endian, row-major; a view of the file's buffer. */
  readonly bytes: Uint8Array;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Longest header that the format allows. */
const maxHeaderBytes = 100_000_000;

/**
 * Reads a safetensors file: eight bytes of header length, a JSON header, raw tensors. Nothing in it is executed.
 * Throws INVALID_WEIGHTS where the file is not there or is not of this form.
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const file = await readFile(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  return parseSafetensors(file, path);
}

/** Same, of bytes in memory; `name` is for messages. */
export function parseSafetensors(file: Buffer, name: string): Safetensors {
  const headerBytes = headerBytesOf(file, file.length, name);
  const { entries, metadata } = parseHeader(file.subarray(8, 8 + headerBytes), file.length, name);
  const tensors = new Map(
    [...entries].map(([key, { type, shape, offset, length }]) => [
      key,
      { type, shape, bytes: file.subarray(offset, offset + length) },
    ]),
  );
  return { tensors, metadata };
}

/** A tensor's place in its file, in bytes from the start. */
export interface TensorPlace {
  readonly type: StoredType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/** Reads only the header of a safetensors file: where each tensor lies. Throws INVALID_WEIGHTS as {@link readSafetensors}. */
export async function readTensorPlaces(path: string): Promise<ReadonlyMap<string, TensorPlace>> {
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  try {
    const { size } = await file.stat();
    const start = Buffer.alloc(8);
    const { bytesRead } = await file.read(start, 0, 8, 0);
    const headerBytes = headerBytesOf(start.subarray(0, bytesRead), size, path);
    const header = Buffer.alloc(headerBytes);
    await file.read(header, 0, headerBytes, 8);
    return parseHeader(header, size, path).entries;
  } finally {
    await file.close();
  }
}

function headerBytesOf(start: Buffer, fileBytes: number, name: string): number {
  if (start.length < 8) throw malformed(name, `it has only ${start.length} bytes`);
  const headerBytes = Number(start.readBigUInt64LE(0));
  if (headerBytes > maxHeaderBytes || 8 + headerBytes > fileBytes) {
    throw malformed(name, `its header of ${headerBytes} bytes does not fit in ${fileBytes} bytes`);
  }
  return headerBytes;
}

function parseHeader(
  json: Buffer,
  fileBytes: number,
  name: string,
): { entries: Map<string, TensorPlace>; metadata: Record<string, string> } {
  let header: unknown;
  try {
    header = JSON.parse(json.toString('utf8'));
  } catch {
    throw malformed(name, 'its header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw malformed(name, 'its header is not an object');
  }
  const { __metadata__: metadata = {}, ...stored } = header as Record<string, Record<string, unknown>>;
  const dataStart = 8 + json.length;
  const dataBytes = fileBytes - dataStart;
  const entries = new Map<string, TensorPlace>();
  for (const [key, entry] of Object.entries(stored)) {
    const { dtype, shape, data_offsets: offsets } = entry;
    if (typeof dtype !== 'string' || !(dtype in bytesOf)) {
      throw malformed(name, `tensor ${key} is of type ${String(dtype)}`);
    }
    const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
    if (!Array.isArray(shape) || !shape.every(isCount)) throw malformed(name, `tensor ${key} has no shape`);
    if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
      throw malformed(name, `tensor ${key} has no offsets`);
    }
    const [begin, end] = offsets as [number, number];
    const type = dtype as StoredType;
    const expected = shape.reduce((a, b) => a * b, bytesOf[type]);
    if (end - begin !== expected || end > dataBytes) {
      const has = Math.min(end, dataBytes) - begin;
      throw malformed(name, `tensor ${key} [${shape.join(', ')}] needs ${expected} bytes and has ${has}`);
    }
    entries.set(key, { type, shape, offset: dataStart + begin, length: end - begin });
  }
  return { entries, metadata: metadata as Record<string, string> };
}

function malformed(name: string, reason: string): VerydeepError {
  return new VerydeepError('INVALID_WEIGHTS', `${name}: expected a safetensors file, but ${reason}`);
}

function unreadable(path: string, cause: unknown): VerydeepError {
  return new VerydeepError('INVALID_WEIGHTS', `${path}: cannot be read: ${messageOf(cause)}`, { cause });
}

/** The numbers of a floating-point tensor as float32: a view where they lie aligned, else a copy. */
export function toFloat32({ type, bytes }: StoredTensor): Float32Array {
  const { buffer, byteOffset, byteLength } = bytes;
  if (type === 'F32') {
    return byteOffset % 4 === 0
      ? new Float32Array(buffer, byteOffset, byteLength / 4)
      : new Float32Array(bytes.slice().buffer);
  }
  const view = new DataView(buffer, byteOffset, byteLength);
  const size = bytesOf[type];
  const read = {
    F64: (at: number) => view.getFloat64(at, true),
    F16: (at: number) => fromFloat16(view.getUint16(at, true)),
    BF16: (at: number) => fromBfloat16(view.getUint16(at, true)),
    I64: (at: number) => Number(view.getBigInt64(at, true)),
    I32: (at: number) => view.getInt32(at, true),
    U8: (at: number) => view.getUint8(at),
  }[type];
  return Float32Array.from({ length: byteLength / size }, (_, i) => read(i * size));
}

/** Reads all tensors of a file as float32 weights. */
export async function readWeights(path: string): Promise<Weights> {
  const { tensors } = await readSafetensors(path);
  return new Map(
    [...tensors].map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor) }]),
  );
}

/** The bytes of a safetensors file with these weights, stored as `type`. */
export function serialiseWeights(
  weights: Weights,
  type: 'F32' | 'F16' | 'BF16' = 'F32',
  metadata: Record<string, string> = {},
): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of weights) {
    const numbers = type === 'F32' ? data : Uint16Array.from(data, type === 'F16' ? toFloat16 : toBfloat16);
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    header[name] = { dtype: type, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
    parts.push(bytes);
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' '); // data starts aligned
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...parts]);
}
