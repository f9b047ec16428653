import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { createOnednnEngine } from '../../../src/engine/onednn/engine.ts';
import { createReferenceEngine } from '../../../src/engine/reference/engine.ts';
import { hashedWeights } from '../../network/hashed.ts';
import { describeEngine } from '../contract.ts';
import { forwardCases, largestDifference, readFixture, referencePreprocessing } from '../reference-values.ts';
import { describeOnednn } from './library.ts';
import { residentBytes } from './resident-bytes.ts';

describeOnednn('oneDNN', () => {
  describeEngine('engine in fp32', () => createOnednnEngine({ threads: 2, precision: 'fp32' }));
});

describeOnednn('oneDNN engine', () => {
  it('stays near fp32 in bf16', async () => {
    const engine = await createOnednnEngine({ threads: 1, precision: 'bf16' });
    const { file, spec, weights } = await readFixture('d-tiny.forward');
    await engine.load({ id: 'd', spec, weights, preprocessing: referencePreprocessing });
    for (const { pixels, height, width, flipAveraged } of forwardCases(file)) {
      const batch = { networks: ['d'], pixels, height, width, count: 1, flip: true, maps: false };
      const { posteriors } = (await engine.run(batch)).get('d')!;
      expect(largestDifference(posteriors!, flipAveraged)).toBeLessThan(0.01);
    }
    await engine.dispose();
  });

  it('gives the same answers for every size of picture as the plain loops do, bit for bit whatever was computed before', async () => {
    const spec = { architecture: 'C', width: 1 / 16, fc: 8, classes: 3, crop: 64, head: 'classes' } as const;
    const source = { id: 'c', spec, weights: hashedWeights(spec, 2), preprocessing: referencePreprocessing };
    const [engine, fresh, reference] = [
      await createOnednnEngine({ threads: 1, precision: 'fp32' }),
      await createOnednnEngine({ threads: 1, precision: 'fp32' }),
      createReferenceEngine(),
    ];
    await engine.load(source);
    await reference.load(source);
    const batch = (height: number, width: number, count = 1) => ({
      networks: ['c'],
      pixels: new Uint8Array(count * height * width * 3).map((_, i) => (i * 2654435761) >>> 24),
      ...{ count, height, width, flip: true, maps: true },
    });
    const mapsOf = async (of: Engine, ...shape: Parameters<typeof batch>) =>
      (await of.run(batch(...shape))).get('c')!.maps!.data;
    for (const [height, width] of [
      [64, 65],
      [79, 64],
      [95, 97],
      [127, 81],
      [66, 271],
    ] as const) {
      const answers = await mapsOf(engine, height, width);
      expect(largestDifference(answers, await mapsOf(reference, height, width))).toBeLessThan(1e-4);
      await engine.run({ ...batch(160, 288, 2), pixels: new Uint8Array(2 * 160 * 288 * 3).fill(255) });
      expect(await mapsOf(engine, height, width)).toEqual(answers);
      await fresh.load(source);
      expect(await mapsOf(fresh, height, width)).toEqual(answers);
    }
    for (const each of [engine, fresh, reference]) await each.dispose();
  });

  it('splits a batch whose maps would be too large, with the same answers', async () => {
    const spec = { architecture: 'A', width: 1 / 16, fc: 8, classes: 3, crop: 32, head: 'classes' } as const;
    const engine = await createOnednnEngine({ threads: 1, precision: 'fp32' });
    await engine.load({
      id: 'a',
      spec,
      weights: hashedWeights(spec, 1),
      preprocessing: referencePreprocessing,
    });
    const [count, height, width] = [33, 512, 512]; // 4 MB in the first layer, 128 MB at once
    const pixels = new Uint8Array(count * height * width * 3).map((_, i) => (i * 2654435761) >>> 24);
    const run = async (first: number, pictures: number) => {
      const size = height * width * 3;
      const part = pixels.subarray(first * size, (first + pictures) * size);
      const batch = { networks: ['a'], pixels: part, count: pictures, height, width, flip: true, maps: true };
      return (await engine.run(batch)).get('a')!;
    };
    const together = await run(0, count);
    const alone = await run(32, 1);
    const { data, shape } = alone.maps!;
    expect(together.maps!.shape).toEqual([2, 33, ...shape.slice(2)]);
    const area = data.length / 2;
    const map = (view: number, picture: number) =>
      together.maps!.data.slice((view * count + picture) * area, (view * count + picture + 1) * area);
    expect(largestDifference(map(0, 32), data.slice(0, area))).toBeLessThan(1e-4);
    expect(largestDifference(map(1, 32), data.slice(area))).toBeLessThan(1e-4);
    expect(largestDifference(together.posteriors!.slice(-3), alone.posteriors!)).toBeLessThan(1e-5);
    await engine.dispose();
  });

  it('keeps memory flat over more shapes than it remembers, and over networks loaded and unloaded', async () => {
    const spec = { architecture: 'A', width: 1 / 16, fc: 8, classes: 3, crop: 32, head: 'classes' } as const;
    const weights = hashedWeights(spec, 1);
    const engine = await createOnednnEngine({ threads: 1, precision: 'fp32' });
    const cycle = async (): Promise<void> => {
      await engine.load({ id: 'a', spec, weights, preprocessing: referencePreprocessing });
      for (let height = 32; height < 112; height++) {
        const pixels = new Uint8Array(height * 64 * 3);
        await engine.run({ networks: ['a'], pixels, height, width: 64, count: 1, flip: false, maps: false });
      }
    };
    for (let i = 0; i < 7; i++) await cycle(); // oneDNN's cache of 1,024 primitives and V8's heap fill
    const before = residentBytes();
    for (let i = 0; i < 3; i++) await cycle();
    expect(residentBytes() - before).toBeLessThan(20e6);
    await engine.dispose();
  });

  it('refuses a path without the library, and a file that is none', async () => {
    const missing = createOnednnEngine({
      threads: 1,
      precision: 'fp32',
      libraryPath: '/nowhere/libdnnl.so.3',
    });
    await expect(missing).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringContaining('/nowhere/libdnnl.so.3'),
    });
    const libraryPath = fileURLToPath(import.meta.url);
    const wrong = createOnednnEngine({ threads: 1, precision: 'fp32', libraryPath });
    await expect(wrong).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
  });
});
