import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hashSafetensors, openSafetensors } from '../../../src/formats/safetensors/read.ts';
import { writeSafetensors } from '../../../src/formats/safetensors/write.ts';
import { bytesPerNumber, type NumberType, numberTypes } from '../../../src/network/number-types.ts';
import {
  copyOfTensor,
  copyOfWeights,
  partBytes,
  storedAs,
  type Tensor,
  type TensorSource,
  type WeightSources,
  type Weights,
} from '../../../src/network/weights.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { writeByHand } from './files.ts';

const folder = temporaryFolder();

const weights: Weights = new Map([
  ['a.weight', { shape: [2, 3], data: Float32Array.of(1, -2, 0.5, 1e-3, 65504, -0) }],
  ['a.bias', { shape: [1], data: Float32Array.of(3) }],
]);

/** A tensor of whole numbers of `type`, the bytes of which are given. */
const stored = (type: NumberType, bytes: Uint8Array): TensorSource => ({
  shape: [bytes.length / bytesPerNumber[type]],
  type,
  parts: () => [bytes],
});

const bytesIn = (tensor: TensorSource): Buffer =>
  Buffer.concat(Array.from(tensor.parts(), (part) => part.slice()));

describe('a safetensors file', () => {
  it('is read as it was written, and hashed on both ways', async () => {
    const path = join(folder, 'a.safetensors');
    const sha256 = await writeSafetensors(path, weights, { epoch: '3' });
    const { tensors, metadata } = openSafetensors(path);
    expect(copyOfWeights(tensors)).toEqual(weights);
    expect(metadata).toEqual({ epoch: '3' });
    expect(await readdir(folder)).toEqual(['a.safetensors']);
    expect(sha256).toBe(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
    expect(await hashSafetensors(path)).toBe(sha256);
  });

  it('has the bytes that other programs write: length, JSON, blanks, numbers', async () => {
    const path = join(folder, 'bytes.safetensors');
    await writeSafetensors(path, weights, { epoch: '3' });
    const json =
      '{"__metadata__":{"epoch":"3"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},' +
      '"a.bias":{"dtype":"F32","shape":[1],"data_offsets":[24,28]}}';
    const padded = json.padEnd(Math.ceil(json.length / 8) * 8, ' ');
    const numbers = Buffer.alloc(28);
    for (const [i, x] of [1, -2, 0.5, 1e-3, 65504, -0, 3].entries()) numbers.writeFloatLE(x, 4 * i);
    const bytes = await readFile(path);
    expect(bytes.readBigUInt64LE()).toBe(BigInt(padded.length));
    expect(bytes.subarray(8).equals(Buffer.concat([Buffer.from(padded), numbers]))).toBe(true);
  });

  it('takes any text as metadata', async () => {
    const path = join(folder, 'text.safetensors');
    const names = '{"Käfer 🪲.jpg": "\\\\\\""}';
    await writeSafetensors(path, weights, { names });
    const { metadata, tensors } = openSafetensors(path);
    expect(metadata).toEqual({ names });
    expect(bytesIn(tensors.get('a.bias')!).readFloatLE()).toBe(3);
  });

  it.each(['F16', 'BF16'] as const)('holds %s within its precision', async (type) => {
    const path = join(folder, type);
    await writeSafetensors(path, storedAs(weights, type));
    const read = openSafetensors(path).tensors;
    expect(read.get('a.weight')!.type).toBe(type);
    const numbers = copyOfTensor(read.get('a.weight')!).data;
    weights.get('a.weight')!.data.forEach((x, i) => {
      const error = Math.abs(numbers[i]! - x);
      expect(error).toBeLessThanOrEqual(Math.abs(x) * (type === 'F16' ? 2 ** -11 : 2 ** -8));
    });
  });

  it('holds every type, the numbers of all aligned', async () => {
    const numbers: Record<NumberType, Uint8Array> = {
      U8: Uint8Array.of(0, 7, 255),
      I8: new Uint8Array(Int8Array.of(-128, 7, 127).buffer),
      BF16: new Uint8Array(Uint16Array.of(0x3f80, 0xc040).buffer), // 1, -3
      F16: new Uint8Array(Uint16Array.of(0x3c00, 0xc200).buffer),
      I32: new Uint8Array(Int32Array.of(-70000, 5).buffer),
      F32: new Uint8Array(Float32Array.of(0.25, -9).buffer),
      I64: new Uint8Array(BigInt64Array.of(-5n, 2n ** 40n).buffer),
      F64: new Uint8Array(Float64Array.of(0.1, -2).buffer),
    };
    const path = join(folder, 'types.safetensors');
    await writeSafetensors(
      path,
      new Map(Object.entries(numbers).map(([type, bytes]) => [type, stored(type as NumberType, bytes)])),
    );
    const { tensors } = openSafetensors(path);
    expect([...tensors.keys()].sort()).toEqual([...numberTypes].sort());
    for (const [name, tensor] of tensors) {
      expect(tensor.type).toBe(name);
      expect(tensor.offset % bytesPerNumber[tensor.type], name).toBe(0);
      expect(bytesIn(tensor).equals(numbers[tensor.type]), name).toBe(true);
    }
    const floats = (type: NumberType): number[] => [...copyOfTensor(tensors.get(type)!).data];
    expect(floats('U8')).toEqual([0, 7, 255]);
    expect(floats('I8')).toEqual([-128, 7, 127]);
    expect(floats('BF16')).toEqual([1, -3]);
    expect(floats('F16')).toEqual([1, -3]);
    expect(floats('I32')).toEqual([-70000, 5]);
    expect(floats('F32')).toEqual([0.25, -9]);
    expect(floats('I64')).toEqual([-5, 2 ** 40]);
    expect(floats('F64')).toEqual([Math.fround(0.1), -2]);
  });

  it('is read in parts, whatever the size and the place of a tensor', async () => {
    const path = join(folder, 'large.safetensors');
    // Of one byte less than a part, so that the other tensor lies askew.
    const first = new Uint8Array(partBytes - 1).map((_, i) => i % 251);
    const second = Float64Array.from({ length: partBytes / 4 + 1 }, (_, i) => i / 3);
    const bytes = new Uint8Array(second.buffer);
    const end = first.length + bytes.length;
    const header = {
      askew: { dtype: 'F64', shape: [second.length], data_offsets: [first.length, end] },
      first: { dtype: 'U8', shape: [first.length], data_offsets: [0, first.length] },
    };
    writeByHand(path, header, Buffer.concat([first, bytes]));
    const { tensors } = openSafetensors(path);
    expect([...tensors.keys()]).toEqual(['first', 'askew']);
    expect(bytesIn(tensors.get('first')!).equals(first)).toBe(true);
    expect(bytesIn(tensors.get('askew')!).equals(bytes)).toBe(true);
    const lengths = Array.from(tensors.get('askew')!.parts(), ({ length }) => length);
    expect(lengths).toEqual([partBytes, partBytes, 8]);
    expect(copyOfTensor(tensors.get('askew')!).data).toEqual(Float32Array.from(second));
  });

  it('keeps what was there where its writing fails', async () => {
    const path = join(folder, 'kept.safetensors');
    await writeFile(path, 'old');
    const broken = (name: string, tensor: TensorSource): WeightSources =>
      new Map<string, Tensor | TensorSource>(weights).set(name, tensor);
    const numbers = new Uint8Array(Float32Array.of(1, Number.POSITIVE_INFINITY).buffer);
    for (const [tensors, reason] of [
      [broken('b', stored('F32', numbers)), 'expected numbers, tensor b has one that is infinite'],
      [broken('b', { ...stored('U8', numbers), shape: [9] }), 'expected 9 bytes of tensor b [9]; received 8'],
      [broken('b', { ...stored('U8', numbers), shape: [7] }), 'expected 7 bytes of tensor b [7]; received 8'],
      // The largest float16 is 65504.
      [
        storedAs(new Map([['b', { shape: [1], data: Float32Array.of(70000) }]]), 'F16'),
        'not a number as F16',
      ],
    ] as const) {
      const failed = writeSafetensors(path, tensors);
      await expect(failed).rejects.toMatchObject({
        code: 'INVALID_WEIGHTS',
        message: expect.stringContaining(reason),
      });
    }
    expect(await readFile(path, 'utf8')).toBe('old');
    expect((await readdir(folder)).filter((name) => name.startsWith('kept'))).toEqual(['kept.safetensors']);
  });
});
