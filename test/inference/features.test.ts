import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/engine/engine.ts';
import { createReferenceEngine } from '../../src/engine/reference/engine.ts';
import { decodeAtScales } from '../../src/image/decode.ts';
import { createFeatureExtractor, featureSources } from '../../src/inference/features.ts';
import { createScheduler } from '../../src/inference/scheduling/scheduler.ts';
import { deferred } from '../deferred.ts';
import { hashedWeights } from '../network/hashed.ts';
import { patient, tiny, tinyDecoders, tinyLimits, waves } from './tiny.ts';

const spec = { architecture: 'A', width: 1 / 16, fc: 8, crop: 32 } as const;
const preprocessing = tiny.classifiers[0]!.preprocessing;
const weights = hashedWeights({ ...spec, classes: spec.fc, head: 'classes' }, 3);

/** The same network, whose last layer hands on what it gets: its score map is the map of the features. */
const seeing = new Map(weights)
  .set('classifier.6.weight', {
    shape: [spec.fc, spec.fc],
    data: Float32Array.from({ length: spec.fc ** 2 }, (_, i) => (i % (spec.fc + 1) === 0 ? 1 : 0)),
  })
  .set('classifier.6.bias', { shape: [spec.fc], data: new Float32Array(spec.fc) });

async function engine(opened?: Promise<void>) {
  const reference = createReferenceEngine();
  const classes = spec.fc;
  await reference.load({
    id: 'f',
    spec: { ...spec, classes, head: 'features' },
    preprocessing,
    weights,
  });
  await reference.load({
    id: 'seeing',
    spec: { ...spec, classes, head: 'classes' },
    preprocessing,
    weights: seeing,
  });
  const batches: Batch[] = [];
  const scheduler = createScheduler({
    devices: 1,
    batching: { batchDelayMs: 0, maxBatchWork: 1e12, maxQueueWork: 1e12 },
  });
  const images = { decoded: 0 };
  const decoders = tinyDecoders();
  const extractor = (options: { scales: readonly number[]; flip: boolean }) =>
    createFeatureExtractor({
      engine: {
        run: async (batch) => {
          batches.push(batch);
          await opened;
          return reference.run(batch);
        },
      },
      scheduler,
      decoders: {
        ...decoders,
        use: (...call) => decoders.use(...call).finally(() => void images.decoded++),
      },
      networks: [{ name: 'f', spec: { ...spec, classes, head: 'classes' } }],
      ...options,
    });
  return { reference, extractor, scheduler, batches, images };
}

describe('features', () => {
  it('are the mean over locations, mirror and scales of the second FC, of length one', async () => {
    const { reference, extractor } = await engine();
    const bytes = await waves(97, 70, 1);
    const scales = [32, 64];
    const answered = await extractor({ scales, flip: true })(bytes, patient());

    const expected = new Array<number>(spec.fc).fill(0);
    const { pictures } = await decodeAtScales(bytes, scales, tinyLimits);
    for (const { pixels, width, height } of pictures) {
      const mirrored = Uint8Array.from(pixels, (_, k) => {
        const [channel, x, y] = [k % 3, Math.floor(k / 3) % width, Math.floor(k / 3 / width)];
        return pixels[(y * width + width - 1 - x) * 3 + channel]!;
      });
      for (const view of [pixels, mirrored]) {
        const batch = { networks: ['seeing'], count: 1, width, height, flip: false, maps: true };
        const { data, shape } = (await reference.run({ ...batch, pixels: view })).get('seeing')!.maps!;
        const area = shape[3] * shape[4];
        for (const [i, value] of data.entries()) expected[Math.floor(i / area)]! += value / area;
      }
    }
    const norm = Math.hypot(...expected);
    expect(norm).toBeGreaterThan(0.1);
    for (const [i, value] of answered.get('f')!.entries()) expect(value).toBeCloseTo(expected[i]! / norm, 5);
  });

  it('do not change with the mirror image of the picture, unless it is left out', async () => {
    const { extractor } = await engine();
    const bytes = await waves(64, 48, 2);
    const mirrored = await sharp(bytes).flop().png().toBuffer();
    const of = async (image: Uint8Array, flip: boolean) =>
      (await extractor({ scales: [48], flip })(image, patient())).get('f')!;
    const difference = async (flip: boolean) => {
      const [one, other] = [await of(bytes, flip), await of(mirrored, flip)];
      return Math.max(...one.map((value, i) => Math.abs(value - other[i]!)));
    };
    expect(await difference(true)).toBeLessThan(1e-5);
    expect(await difference(false)).toBeGreaterThan(1e-3);
  });

  it('of many images come from batches of several, and are the same', async () => {
    const files = await Promise.all([0, 1, 2, 3, 4].map((phase) => waves(64, 48, phase)));
    const options = { scales: [48], flip: true };
    const one = (await engine()).extractor(options);
    const alone: Float32Array[] = [];
    for (const file of files) alone.push((await one(file, patient())).get('f')!);
    const opened = deferred();
    const { extractor, scheduler, batches, images } = await engine(opened.promise);
    const extract = extractor(options);
    const asked = files.map((file) => extract(file, patient()));
    await expect.poll(() => images.decoded).toBe(5);
    opened.resolve();
    const together = await Promise.all(asked);
    expect(batches.map(({ count }) => count)).toEqual([1, 1, 3]);
    together.forEach((features, k) => {
      for (const [i, value] of features.get('f')!.entries()) expect(value).toBeCloseTo(alone[k]![i]!, 6);
    });
    expect(scheduler.queue()).toMatchObject({ requests: 0, work: 0 });
  });

  it('of a bad image are refused, and leave the queue empty', async () => {
    const { extractor, scheduler } = await engine();
    const bytes = await waves(64, 48, 2);
    const extract = extractor({ scales: [48], flip: true });
    await expect(extract(bytes.subarray(0, 200), patient())).rejects.toMatchObject({
      code: 'CORRUPT_IMAGE',
    });
    const gone = AbortSignal.abort();
    await expect(extract(bytes, { ...patient(), signal: gone })).rejects.toMatchObject({
      code: 'REQUEST_CANCELLED',
    });
    expect(scheduler.queue()).toMatchObject({ requests: 0, work: 0 });
  });

  it('come from networks without their last layer', () => {
    const sources = featureSources([tiny.classifiers[1]!]);
    expect(sources.map(({ id, spec: { head } }) => ({ id, head }))).toEqual([{ id: 'e', head: 'features' }]);
  });
});
