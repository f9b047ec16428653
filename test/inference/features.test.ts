import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createReferenceEngine } from '../../src/engine/reference/engine.ts';
import { decodeAtScales } from '../../src/image/decode.ts';
import { featureSources, imageFeatures } from '../../src/inference/features.ts';
import { hashedWeights } from '../../src/network/hashed.ts';
import { tiny, waves } from './tiny.ts';

const limits = { maxFileBytes: 1e6, maxPixels: 1e6 };
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

async function engine() {
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
  return reference;
}

describe('features', () => {
  it('are the mean over locations, mirror and scales of the second FC, of length one', async () => {
    const reference = await engine();
    const bytes = await waves(97, 70, 1);
    const scales = [32, 64];
    const answered = await imageFeatures(reference, bytes, { networks: ['f'], scales, flip: true, limits });

    const expected = new Array<number>(spec.fc).fill(0);
    const { pictures } = await decodeAtScales(bytes, scales, limits);
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
    const reference = await engine();
    const bytes = await waves(64, 48, 2);
    const mirrored = await sharp(bytes).flop().png().toBuffer();
    const of = async (image: Uint8Array, flip: boolean) =>
      (await imageFeatures(reference, image, { networks: ['f'], scales: [48], flip, limits })).get('f')!;
    const difference = async (flip: boolean) => {
      const [one, other] = [await of(bytes, flip), await of(mirrored, flip)];
      return Math.max(...one.map((value, i) => Math.abs(value - other[i]!)));
    };
    expect(await difference(true)).toBeLessThan(1e-5);
    expect(await difference(false)).toBeGreaterThan(1e-3);
  });

  it('come from classification networks alone, without their last layer', () => {
    const sources = featureSources(tiny, ['e', 'pcr']);
    expect(sources.map(({ id, spec: { head } }) => ({ id, head }))).toEqual([{ id: 'e', head: 'features' }]);
  });
});
