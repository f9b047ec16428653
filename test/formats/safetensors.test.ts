import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDurably } from '../../src/files/durable.ts';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../src/formats/half.ts';
import { parseSafetensors, readWeights, serialiseWeights } from '../../src/formats/safetensors.ts';
import type { Weights } from '../../src/network/weights.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verydeep-'));
});
afterAll(() => rm(folder, { recursive: true }));

const weights: Weights = new Map([
  ['a.weight', { shape: [2, 3], data: Float32Array.of(1, -2, 0.5, 1e-3, 65504, -0) }],
  ['a.bias', { shape: [1], data: Float32Array.of(3) }],
]);

describe('safetensors', () => {
  it('reads what it wrote', async () => {
    const path = join(folder, 'a.safetensors');
    await writeDurably(path, serialiseWeights(weights, 'F32', { epoch: '3' }));
    expect(await readWeights(path)).toEqual(weights);
    expect(await readdir(folder)).toEqual(['a.safetensors']);
    expect(parseSafetensors(serialiseWeights(weights, 'F32', { epoch: '3' }), 'x').metadata).toEqual({
      epoch: '3',
    });
  });

  it('takes any text as metadata', () => {
    const names = 'Käfer 🪲.jpg';
    const file = serialiseWeights(weights, 'F32', { names });
    expect(file.readBigUInt64LE() % 8n).toBe(0n);
    const { metadata, tensors } = parseSafetensors(file, 'x');
    expect(metadata).toEqual({ names });
    expect(Buffer.from(tensors.get('a.bias')!.bytes).readFloatLE()).toBe(3);
  });

  it.each(['F16', 'BF16'] as const)('stores %s within its precision', async (type) => {
    const path = join(folder, type);
    await writeFile(path, serialiseWeights(weights, type));
    const read = await readWeights(path);
    weights.get('a.weight')!.data.forEach((x, i) => {
      const stored = read.get('a.weight')!.data[i]!;
      expect(Math.abs(stored - x)).toBeLessThanOrEqual(Math.abs(x) * (type === 'F16' ? 2 ** -11 : 2 ** -8));
    });
  });

  it('refuses every damaged file with a coded error, and never crashes', () => {
    const good = serialiseWeights(weights);
    const damage = fc.oneof(
      fc.nat(good.length - 1).map((end) => good.subarray(0, end)),
      fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
        const copy = Buffer.from(good);
        copy[at] = byte;
        return copy;
      }),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(damage, (bytes) => {
        try {
          parseSafetensors(bytes, 'damaged');
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_WEIGHTS' });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('says which file cannot be read', async () => {
    await expect(readWeights(join(folder, 'none'))).rejects.toMatchObject({
      code: 'INVALID_WEIGHTS',
      message: expect.stringContaining('none: cannot be read'),
    });
  });
});

describe('16-bit numbers', () => {
  it('come back exactly from every bit pattern', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const half = fromFloat16(bits);
      if (!Number.isNaN(half)) expect(toFloat16(half)).toBe(bits);
      const brain = fromBfloat16(bits);
      if (!Number.isNaN(brain)) expect(toBfloat16(brain)).toBe(bits);
    }
  });

  it('round to the nearest neighbour', () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (x) => {
        const bits = toFloat16(x);
        const error = Math.abs(fromFloat16(bits) - x);
        for (const neighbour of [bits - 1, bits + 1]) {
          const other = fromFloat16(neighbour & 0xffff);
          if (Number.isFinite(other)) expect(error).toBeLessThanOrEqual(Math.abs(other - x));
        }
      }),
    );
  });
});
