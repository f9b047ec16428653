import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts';
import { createReferenceEngine } from '../../../src/engine/reference/engine.ts';
import { architectureNames } from '../../../src/network/architecture.ts';
import { hashedWeights } from '../../network/hashed.ts';
import { largestDifference } from '../reference-values.ts';

let onnx: Engine;
beforeAll(async () => {
  onnx = await createOnnxEngine({ device: 'cpu', threads: 2 });
});
afterAll(() => onnx.dispose());

const spec = fc.record({
  architecture: fc.constantFrom(...architectureNames),
  width: fc.constantFrom(1 / 64, 1 / 32),
  fc: fc.integer({ min: 1, max: 9 }),
  classes: fc.integer({ min: 1, max: 7 }),
  crop: fc.constantFrom(32, 64),
  head: fc.constantFrom('classes', 'scr', 'pcr'),
} as const);

const preprocessing = fc.record({
  channelOrder: fc.constantFrom('rgb', 'bgr'),
  scale: fc.constantFrom(1, 1 / 64),
  mean: fc.constantFrom([0, 0, 0], [1.2, 0.9, 0.4]),
  std: fc.constantFrom([1, 1, 1], [0.5, 2, 1.5]),
} as const);

it('any network over any batch answers what the reference engine does', async () => {
  const reference = createReferenceEngine();
  const property = fc.asyncProperty(
    spec,
    preprocessing,
    fc.integer({ min: 1, max: 3 }),
    fc.tuple(fc.nat(70), fc.nat(70)),
    fc.boolean(),
    async (spec, preprocessing, count, [extraHeight, extraWidth], flip) => {
      const [height, width] = [spec.crop + extraHeight, spec.crop + extraWidth];
      const pixels = Uint8Array.from({ length: count * height * width * 3 }, (_, i) => (i * i * 31) >>> 3);
      const batch = { networks: ['net'], pixels, count, height, width, flip, maps: true };
      const [actual, expected] = await Promise.all(
        [onnx, reference].map(async (engine) => {
          const [mean, std] = [preprocessing.mean, preprocessing.std] as [Triple, Triple];
          const weights = hashedWeights(spec, 7);
          await engine.load({ id: 'net', spec, preprocessing: { ...preprocessing, mean, std }, weights });
          return (await engine.run(batch)).get('net')!;
        }),
      );
      expect(actual!.maps!.shape).toEqual(expected!.maps!.shape);
      expect(largestDifference(actual!.maps!.data, expected!.maps!.data)).toBeLessThan(1e-4);
      expect(actual!.posteriors?.length).toBe(expected!.posteriors?.length);
      if (actual!.posteriors) {
        expect(largestDifference(actual!.posteriors, expected!.posteriors!)).toBeLessThan(1e-4);
      }
    },
  );
  await fc.assert(property, { numRuns: 20, seed: 1 });
});

type Triple = readonly [number, number, number];
