import { open, readFile, rename } from 'node:fs/promises';
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
    throw new VerydeepError('INVALID_WEIGHTS', `${path}: cannot be read: ${messageOf(cause)}`, { cause });
  });
  return parseSafetensors(file, path);
}

/** Same, of bytes in memory; `name` is for messages. */
export function parseSafetensors(file: Buffer, name: string): Safetensors {
  const bad = (reason: string): never => {
    throw new VerydeepError('INVALID_WEIGHTS', `${name}: expected a safetensors file, but ${reason}`);
  };
  if (file.length < 8) bad(`it has only ${file.length} bytes`);
  const headerBytes = Number(file.readBigUInt64LE(0));
  if (headerBytes > maxHeaderBytes || 8 + headerBytes > file.length) {
    bad(`its header of ${headerBytes} bytes does not fit in ${file.length} bytes`);
  }
  let header: unknown;
  try {
    header = JSON.parse(file.toString('utf8', 8, 8 + headerBytes));
  } catch {
    bad('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    bad('its header is not an object');
  const { __metadata__: metadata = {}, ...entries } = header as Record<string, Record<string, unknown>>;
  const data = file.subarray(8 + headerBytes);
  const tensors = new Map<string, StoredTensor>();
  for (const [key, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets: offsets } = entry;
    if (typeof dtype !== 'string' || !(dtype in bytesOf)) bad(`tensor ${key} is of type ${String(dtype)}`);
    const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
    if (!Array.isArray(shape) || !shape.every(isCount)) return bad(`tensor ${key} has no shape`);
    if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
      return bad(`tensor ${key} has no offsets`);
    }
    const [begin, end] = offsets as [number, number];
    const type = dtype as StoredType;
    const expected = shape.reduce((a, b) => a * b, bytesOf[type]);
    if (end - begin !== expected || end > data.length) {
      bad(
        `tensor ${key} [${shape.join(', ')}] needs ${expected} bytes and has ${Math.min(end, data.length) - begin}`,
      );
    }
    tensors.set(key, { type, shape, bytes: data.subarray(begin, end) });
  }
  return { tensors, metadata: metadata as Record<string, string> };
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
  const json = JSON.stringify(header);
  const padded = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8)); // names are ASCII, data starts aligned
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...parts]);
}

/** Writes under a temporary name, syncs, renames: a crash leaves the old file or the new one, never half of one. */
export async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
