import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isVerydeepError } from '../../src/errors.ts';
import { openSafetensors } from '../../src/formats/safetensors/read.ts';
import { writeSafetensors } from '../../src/formats/safetensors/write.ts';
import { colourStatistics } from '../../src/image/colour-shift.ts';
import { copyOfWeights, type Weights } from '../../src/network/weights.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../src/training/checkpoint.ts';
import { initialScheduleState } from '../../src/training/schedule.ts';
import { parseSettings } from '../../src/training/settings.ts';

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'verydeep-'));
  path = join(folder, 'checkpoint.safetensors');
});
afterAll(() => rmSync(folder, { recursive: true }));

const weights: Weights = new Map([
  ['features.0.weight', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ['features.0.bias', { shape: [2], data: Float32Array.of(-1, 0.25) }],
]);
const velocity: Weights = new Map([['features.0.bias', { shape: [2], data: Float32Array.of(0.5, 0) }]]);

function checkpoint(settings: object = {}): Checkpoint {
  return {
    header: {
      format: 2,
      settings: parseSettings({ data: 'photos', threads: 1, ...settings }),
      spec: { architecture: 'A', width: 1, fc: 8, classes: 2, crop: 32, head: 'classes' },
      preprocessing: { channelOrder: 'rgb', scale: 1, mean: [1, 2, 3], std: [1, 1, 1] },
      labels: ['ant', 'bee'],
      datasetDigest: 'sha256:0',
      colours: colourStatistics([{ width: 1, height: 1, pixels: Uint8Array.of(1, 2, 3) }]),
      state: { epoch: 2, step: 3, lossSum: 1.5, schedule: initialScheduleState },
      learningRate: 0.01,
    },
    weights,
    velocity,
  };
}

describe('a checkpoint', () => {
  it('is read as it was written', async () => {
    const digest = await writeCheckpoint(path, checkpoint());
    const read = await readCheckpoint(path);
    expect(read.header).toEqual(checkpoint().header);
    expect(copyOfWeights(read.weights)).toEqual(weights);
    expect(copyOfWeights(read.velocity!)).toEqual(velocity);
    expect(read.digest).toBe(digest);
  });

  it('has a digest of what decides the training, and of every number', async () => {
    const digest = await writeCheckpoint(path, checkpoint());
    expect(await writeCheckpoint(path, checkpoint({ data: 'elsewhere', epochs: 99 }))).toBe(digest);
    expect(await writeCheckpoint(path, checkpoint({ seed: 2 }))).not.toBe(digest);
    const { velocity: _, ...still } = checkpoint();
    expect(await writeCheckpoint(path, still)).not.toBe(digest);
    const other = new Map(weights).set('features.0.bias', { shape: [2], data: Float32Array.of(-1, 0.5) });
    expect(await writeCheckpoint(path, { ...checkpoint(), weights: other })).not.toBe(digest);
  });

  it('is refused by its code where a byte of it has changed', async () => {
    const digest = await writeCheckpoint(path, checkpoint());
    const good = readFileSync(path);
    const change = fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(change, async ([at, bits]) => {
        const bytes = Buffer.from(good);
        bytes[at]! ^= bits;
        writeFileSync(path, bytes);
        try {
          // What stands between the parts of JSON, and what does not decide the training, may be other than it was.
          expect((await readCheckpoint(path)).digest).toBe(digest);
        } catch (error) {
          if (!isVerydeepError(error, 'INVALID_WEIGHTS')) throw error;
        }
      }),
      { numRuns: 300 },
    );
    writeFileSync(path, good);
    const bytes = Buffer.from(good);
    bytes[openSafetensors(path).tensors.get('weights/features.0.bias')!.offset]! ^= 1;
    writeFileSync(path, bytes);
    await expect(readCheckpoint(path)).rejects.toThrow(/expected the digest sha256:\w+; received sha256:\w+/);
  });

  it.each([
    ['nothing', {}],
    ['no JSON', { verydeep: '{' }],
    ['null', { verydeep: 'null' }],
    ['a list', { verydeep: '[]' }],
    ['another format', { verydeep: '{"format":1,"settings":{}}' }],
    ['no settings', { verydeep: '{"format":2}' }],
    ['settings of a number', { verydeep: '{"format":2,"settings":7}' }],
    ['no digest', { verydeep: '{"format":2,"settings":{}}' }],
  ])('is refused by its code where it says %s of itself', async (_, metadata) => {
    await writeSafetensors(path, weights, metadata);
    await expect(readCheckpoint(path)).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
  });
});
