import { createHash, type Hash } from 'node:crypto';
import { VerydeepError } from '../../errors.ts';
import { writeDurably } from '../../files/durable.ts';
import { bytesPerNumber } from '../../network/number-types.ts';
import { areFinite } from '../../network/numbers.ts';
import {
  bytesOf,
  partsOf,
  type Tensor,
  type TensorSource,
  typeOf,
  type WeightSources,
} from '../../network/weights.ts';
import { lengthBytes } from './header.ts';

/**
 * Writes a safetensors file durably, one part of a tensor after the other, each stored as the type that it has. Returns
 * the SHA-256 of the file in hexadecimal digits. Throws DISK_FULL, and INVALID_WEIGHTS for a number that is not finite or
 * a tensor of another size than its shape says; the file is as it was then.
 */
export async function writeSafetensors(
  path: string,
  tensors: WeightSources,
  metadata: Readonly<Record<string, string>> = {},
): Promise<string> {
  const entries = inOrder(tensors);
  const header = headerOf(entries, metadata);
  const bytes = entries.reduce((sum, [, tensor]) => sum + bytesOf(tensor), header.length);
  const hash = createHash('sha256');
  await writeDurably(path, { bytes, parts: checkedParts(path, header, entries, hash) });
  return hash.digest('hex');
}

// --- helpers ---

type Entries = readonly (readonly [string, Tensor | TensorSource])[];

/** Numbers of many bytes first, so that all lie aligned. */
function inOrder(tensors: WeightSources): Entries {
  const sizeOf = (tensor: Tensor | TensorSource): number => bytesPerNumber[typeOf(tensor)];
  return [...tensors].sort(([, a], [, b]) => sizeOf(b) - sizeOf(a));
}

/** Length, JSON, and blanks up to a multiple of eight bytes, where the numbers begin. */
function headerOf(entries: Entries, metadata: Readonly<Record<string, string>>): Buffer {
  let offset = 0;
  const described = entries.map(([name, tensor]): [string, unknown] => {
    const begin = offset;
    offset += bytesOf(tensor);
    return [name, { dtype: typeOf(tensor), shape: tensor.shape, data_offsets: [begin, offset] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries([['__metadata__', metadata], ...described])));
  const header = Buffer.alloc(lengthBytes + Math.ceil(json.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - lengthBytes));
  json.copy(header, lengthBytes);
  return header;
}

/** The parts of the file, which go into `hash` as they are taken. */
function* checkedParts(path: string, header: Buffer, entries: Entries, hash: Hash): Generator<Uint8Array> {
  hash.update(header);
  yield header;
  for (const [name, tensor] of entries) {
    const type = typeOf(tensor);
    const expected = bytesOf(tensor);
    let received = 0;
    for (const part of partsOf(tensor)) {
      if (!areFinite(part, type)) {
        throw invalidWeights(
          path,
          `expected numbers, tensor ${name} has one that is infinite or not a number as ${type}`,
        );
      }
      received += part.length;
      hash.update(part);
      yield part;
    }
    if (received !== expected) {
      throw invalidWeights(
        path,
        `expected ${expected} bytes of tensor ${name} [${tensor.shape.join(', ')}]; received ${received}`,
      );
    }
  }
}

function invalidWeights(path: string, reason: string): VerydeepError {
  return new VerydeepError('INVALID_WEIGHTS', `${path}: ${reason}`);
}
