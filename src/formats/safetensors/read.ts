import { createHash, type Hash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { messageOf, VerydeepError } from '../../errors.ts';
import { openRegularFile } from '../../files/regular.ts';
import { bytesPerNumber } from '../../network/number-types.ts';
import { areFinite } from '../../network/numbers.ts';
import { partBytes, type TensorSource } from '../../network/weights.ts';
import {
  type Header,
  headerBytesOf,
  lengthBytes,
  malformed,
  parseHeader,
  type TensorPlace,
} from './header.ts';

/** A tensor of a file, which is read when it is asked for. */
export type StoredTensor = TensorSource & TensorPlace;

export interface Safetensors {
  /** In the order in which they lie in the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads the header of a safetensors file: eight bytes of length, JSON, raw tensors. Nothing in it is executed. Each tensor
 * opens the file again when it is read. Throws INVALID_WEIGHTS if the file is not there, is no regular one, or is not
 * of this form: every byte must be of exactly one tensor.
 */
export function openSafetensors(path: string): Safetensors {
  const file = open(path);
  try {
    const { places, metadata } = readHeader(file).header;
    const tensors = [...places].map(([name, place]): [string, StoredTensor] => [
      name,
      { ...place, parts: () => partsIn(path, place) },
    ]);
    return { tensors: new Map(tensors), metadata };
  } finally {
    closeSync(file.descriptor);
  }
}

/**
 * Reads the whole file once and keeps nothing of it. Returns the SHA-256 of its bytes in hexadecimal digits. Throws
 * INVALID_WEIGHTS as {@link openSafetensors} does, and for a number that is not finite.
 */
export async function hashSafetensors(path: string): Promise<string> {
  const file = open(path);
  try {
    const { bytes, header } = readHeader(file);
    const hash = createHash('sha256').update(bytes);
    for (const [name, place] of header.places) await hashTensor(file, name, place, hash);
    return hash.digest('hex');
  } finally {
    closeSync(file.descriptor);
  }
}

// --- helpers ---

interface OpenFile {
  readonly path: string;
  readonly descriptor: number;
  readonly bytes: number;
}

async function hashTensor(file: OpenFile, name: string, place: TensorPlace, hash: Hash): Promise<void> {
  for (const part of partsOf(file, place)) {
    hash.update(part);
    if (!areFinite(part, place.type)) {
      const message = `${file.path}: expected numbers, tensor ${name} has one that is infinite or not a number`;
      throw new VerydeepError('INVALID_WEIGHTS', message);
    }
    await setImmediate(); // whoever serves goes on serving
  }
}

function* partsIn(path: string, place: TensorPlace): Generator<Uint8Array> {
  const file = open(path);
  try {
    yield* partsOf(file, place);
  } finally {
    closeSync(file.descriptor);
  }
}

function* partsOf(file: OpenFile, { type, offset, length }: TensorPlace): Generator<Uint8Array> {
  const whole = partBytes - (partBytes % bytesPerNumber[type]);
  const buffer = new Uint8Array(Math.min(whole, length));
  for (let start = 0; start < length; start += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, length - start));
    fill(part, file, offset + start);
    yield part;
  }
}

/** With the header's own bytes, and the eight before them. */
function readHeader(file: OpenFile): { bytes: Buffer; header: Header } {
  const start = Buffer.alloc(Math.min(lengthBytes, file.bytes));
  fill(start, file, 0);
  const headerBytes = headerBytesOf(start, file.bytes, file.path);
  const bytes = Buffer.alloc(lengthBytes + headerBytes);
  fill(bytes, file, 0);
  return { bytes, header: parseHeader(bytes.subarray(lengthBytes), file.bytes, file.path) };
}

function fill(to: Uint8Array, { path, descriptor }: OpenFile, position: number): void {
  for (let at = 0; at < to.length; ) {
    let read: number;
    try {
      read = readSync(descriptor, to, at, to.length - at, position + at);
    } catch (cause) {
      throw unreadable(path, cause);
    }
    if (read === 0)
      throw malformed(path, `it ends at ${position + at} bytes, earlier than when it was opened`);
    at += read;
  }
}

function open(path: string): OpenFile {
  try {
    return { path, ...openRegularFile(path) };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): VerydeepError {
  return new VerydeepError('INVALID_WEIGHTS', `${path}: cannot be read: ${messageOf(cause)}`, { cause });
}
