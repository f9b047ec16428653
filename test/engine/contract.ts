import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Batch, Engine, NetworkOutput, NetworkSource, OutputMaps } from '../../src/engine/engine.ts';
import { createReferenceEngine } from '../../src/engine/reference/engine.ts';
import { writeSafetensors } from '../../src/formats/safetensors/write.ts';
import type { ForwardSpec, NetworkSpec } from '../../src/network/architecture.ts';
import { scoreMapSize } from '../../src/network/measures.ts';
import { storedAs, type Weights } from '../../src/network/weights.ts';
import { hashedWeights } from '../network/hashed.ts';
import { forwardCases, largestDifference, readFixture, referencePreprocessing } from './reference-values.ts';

const tolerance = 1e-4;
/** Rounding of the same sums in another order. */
const rounding = 1e-5;

const tiny: NetworkSpec = { architecture: 'A', width: 1 / 16, fc: 16, classes: 7, crop: 32, head: 'classes' };

/** What every engine has to do, in fp32: run against each of them. */
export function describeEngine(name: string, create: () => Promise<Engine>): void {
  describe(name, () => {
    let engine: Engine;
    const weights = hashedWeights(tiny, 1);
    beforeAll(async () => {
      engine = await create();
      await engine.load(source('tiny', tiny, weights));
    });
    afterAll(() => engine.dispose());

    /** Runs one network. */
    async function run(id: string, batch: Partial<Batch> & Pictures): Promise<NetworkOutput> {
      const outputs = await engine.run({ networks: [id], flip: false, maps: false, ...batch });
      return outputs.get(id)!;
    }

    it('says what it is', () => {
      expect(engine.capabilities).toEqual({
        engine: expect.any(String),
        device: expect.any(String),
        threads: expect.any(Number),
      });
      expect(engine.capabilities.threads).toBeGreaterThanOrEqual(1);
    });

    for (const fixture of ['c-tiny.forward', 'd-tiny.forward']) {
      it(`gives the score maps and posteriors of ${fixture}`, async () => {
        const { file, spec, weights } = await readFixture(fixture);
        await engine.load(source(fixture, spec, weights));
        for (const { pixels, height, width, ...expected } of forwardCases(file)) {
          const picture = { pixels, height, width, count: 1 };
          const alone = await run(fixture, picture);
          expect(largestDifference(alone.posteriors!, expected.posterior)).toBeLessThan(tolerance);
          expect(alone.maps).toBeUndefined();
          const both = await run(fixture, { ...picture, flip: true, maps: true });
          expect(largestDifference(both.posteriors!, expected.flipAveraged)).toBeLessThan(tolerance);
          expect(both.maps!.shape).toEqual([2, 1, spec.classes, ...scoreMapSize(spec, height, width)]);
          const area = expected.scoreMap.length;
          expect(largestDifference(both.maps!.data.slice(0, area), expected.scoreMap)).toBeLessThan(
            tolerance,
          );
          const mirrored = both.maps!.data.slice(area);
          expect(largestDifference(mirrored, expected.mirroredScoreMap)).toBeLessThan(tolerance);
        }
        await engine.unload(fixture);
      });
    }

    for (const fixture of ['d-tiny-scr.training', 'd-tiny-pcr.training']) {
      it(`gives the box map of ${fixture}, asked for or not`, async () => {
        const { file, spec, weights } = await readFixture(fixture);
        await engine.load(source(fixture, spec, weights));
        const { pixels, shape } = file.pixels('dense.picture');
        const { maps, posteriors } = await run(fixture, {
          pixels,
          count: 1,
          height: shape[0]!,
          width: shape[1]!,
        });
        expect(posteriors).toBeUndefined();
        expect([...maps!.shape]).toEqual([1, 1, ...file.tensors.get('dense.box_map')!.shape]);
        expect(largestDifference(maps!.data, file.numbers('dense.box_map'))).toBeLessThan(tolerance);
        await engine.unload(fixture);
      });
    }

    it('gives features: what a last layer of ones on its diagonal sees, averaged over space and mirror', async () => {
      const seeing = { ...tiny, classes: tiny.fc };
      const identity = Float32Array.from({ length: tiny.fc ** 2 }, (_, i) =>
        i % (tiny.fc + 1) === 0 ? 1 : 0,
      );
      await engine.load({
        ...source('seeing', seeing, weights),
        weights: new Map(weights)
          .set('classifier.6.weight', { shape: [tiny.fc, tiny.fc], data: identity })
          .set('classifier.6.bias', { shape: [tiny.fc], data: new Float32Array(tiny.fc) }),
      });
      await engine.load(source('features', { ...tiny, head: 'features' }, weights));
      const reference = createReferenceEngine();
      await reference.load(source('features', { ...tiny, head: 'features' }, weights));
      for (const flip of [false, true]) {
        const batch = { ...pictures(3, 64, 97), flip, maps: true };
        const answer = await run('features', batch);
        expect(Object.keys(answer)).toEqual(['features']);
        const { maps } = await run('seeing', batch);
        const expected = meansOf(maps!);
        expect(Math.max(...expected)).toBeGreaterThan(1); // a hashed network does not die out
        expect(largestDifference(answer.features!, expected)).toBeLessThan(tolerance);
        const referenced = await reference.run({ ...batch, networks: ['features'] });
        const { features } = referenced.get('features')!;
        expect(largestDifference(answer.features!, features!)).toBeLessThan(tolerance);
      }
      await engine.unload('seeing');
      await engine.unload('features');
    });

    it('gives posteriors that sum to one, at every size', async () => {
      for (const [height, width] of [
        [32, 32],
        [33, 63],
        [95, 32],
        [64, 161],
      ] as const) {
        const { posteriors, maps } = await run('tiny', { ...pictures(2, height, width), maps: true });
        expect(maps!.shape).toEqual([1, 2, tiny.classes, ...scoreMapSize(tiny, height, width)]);
        for (const n of [0, 1]) {
          const sum = posteriors!.slice(n * tiny.classes, (n + 1) * tiny.classes).reduce((a, b) => a + b, 0);
          expect(sum).toBeCloseTo(1, 5);
        }
      }
    });

    it('answers a picture the same alone and in any batch', async () => {
      const { pixels, count, height, width } = pictures(5, 48, 70);
      const whole = await run('tiny', { pixels, count, height, width, flip: true });
      const bytes = pixels.length / count;
      for (let n = 0; n < count; n++) {
        const picture = pixels.slice(n * bytes, (n + 1) * bytes);
        const alone = await run('tiny', { pixels: picture, count: 1, height, width, flip: true });
        const inBatch = whole.posteriors!.slice(n * tiny.classes, (n + 1) * tiny.classes);
        expect(largestDifference(alone.posteriors!, inBatch)).toBeLessThan(rounding);
      }
    });

    it('sees in the mirror image of a mirrored picture the picture itself', async () => {
      const picture = pictures(1, 40, 67);
      const forth = await run('tiny', { ...picture, flip: true, maps: true });
      const back = await run('tiny', { ...mirrored(picture), flip: true, maps: true });
      const half = forth.maps!.data.length / 2;
      expect(largestDifference(back.maps!.data.slice(half), forth.maps!.data.slice(0, half))).toBeLessThan(
        rounding,
      );
      expect(largestDifference(back.posteriors!, forth.posteriors!)).toBeLessThan(rounding);
    });

    it('prepares the pixels as the weights ask: channel order, scale, mean, standard deviation', async () => {
      const picture = pictures(1, 64, 64);
      const expected = await run('tiny', picture);
      await engine.load({
        ...source('scaled', tiny, withFirstLayerOfScaledBgr(weights)),
        preprocessing: {
          channelOrder: 'bgr',
          scale: 1 / 255,
          mean: [103.939 / 255, 116.779 / 255, 123.68 / 255],
          std: [0.25, 0.2, 0.3],
        },
      });
      const { posteriors } = await run('scaled', picture);
      expect(largestDifference(posteriors!, expected.posteriors!)).toBeLessThan(rounding);
      await engine.unload('scaled');
    });

    it('runs several networks over one batch', async () => {
      const other = hashedWeights(tiny, 99);
      await engine.load(source('other', tiny, other));
      const picture = pictures(1, 32, 32);
      const outputs = await engine.run({
        ...picture,
        networks: ['other', 'tiny'],
        flip: false,
        maps: false,
      });
      expect([...outputs.keys()].toSorted()).toEqual(['other', 'tiny']);
      expect(outputs.get('tiny')).toEqual(await run('tiny', picture));
      expect(largestDifference(outputs.get('tiny')!.posteriors!, outputs.get('other')!.posteriors!)).not.toBe(
        0,
      );
      await engine.unload('other');
    });

    it('reads weights from files, in full and in half precision', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'verydeep-'));
      try {
        const picture = pictures(1, 64, 40);
        const expected = await run('tiny', picture);
        for (const [type, within] of [
          ['F32', rounding],
          ['F16', 0.02],
        ] as const) {
          const path = join(folder, `${type}.safetensors`);
          await writeSafetensors(path, storedAs(weights, type));
          await engine.load({ ...source('file', tiny, weights), weights: { path } });
          const { posteriors } = await run('file', picture);
          expect(largestDifference(posteriors!, expected.posteriors!)).toBeLessThan(within);
        }
        await engine.unload('file');
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it('keeps its own copy of weights in memory', async () => {
      const picture = pictures(1, 32, 32);
      const mine = new Map(
        [...weights].map(([key, { shape, data }]) => [key, { shape, data: data.slice() }]),
      );
      await engine.load(source('copied', tiny, mine));
      for (const { data } of mine.values()) data.fill(Number.NaN);
      expect(await run('copied', picture)).toEqual(await run('tiny', picture));
      await engine.unload('copied');
    });

    it('replaces a network that is loaded again', async () => {
      await engine.load(source('again', tiny, hashedWeights(tiny, 99)));
      await engine.load(source('again', tiny, weights));
      const picture = pictures(1, 32, 32);
      expect(await run('again', picture)).toEqual(await run('tiny', picture));
      await engine.unload('again');
    });

    it('refuses weights that lack a tensor, or have it in another shape', async () => {
      const lacking = new Map(weights);
      lacking.delete('classifier.0.weight');
      const misshapen = new Map(weights).set('features.0.bias', { shape: [3], data: new Float32Array(3) });
      const short = new Map(weights).set('features.0.bias', { shape: [4], data: new Float32Array(3) });
      for (const broken of [lacking, misshapen, short]) {
        const refused = engine.load(source('tiny', tiny, broken));
        await expect(refused).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
      }
      const missing = engine.load({
        ...source('file', tiny, weights),
        weights: { path: '/nowhere.safetensors' },
      });
      await expect(missing).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
      // The network of that name that was there before still answers.
      expect((await run('tiny', pictures(1, 32, 32))).posteriors).toHaveLength(tiny.classes);
    });

    it('refuses unknown networks and batches of another size than stated', async () => {
      const good = { ...pictures(1, 40, 40), networks: ['tiny'], flip: false, maps: false };
      for (const wrong of [
        { ...good, networks: ['stranger'] },
        { ...good, count: 2 },
        { ...good, count: 0, pixels: new Uint8Array(0) },
        { ...good, pixels: good.pixels.slice(1) },
        { ...good, ...pictures(1, 31, 40) },
      ]) {
        await expect(engine.run(wrong)).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
      }
      expect((await engine.run(good)).get('tiny')!.posteriors).toHaveLength(tiny.classes);
    });

    it('forgets a network that is unloaded, and all of them when it is disposed of', async () => {
      await engine.load(source('gone', tiny, weights));
      await engine.unload('gone');
      await engine.unload('gone');
      await expect(run('gone', pictures(1, 32, 32))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
      const another = await create();
      await another.load(source('tiny', tiny, weights));
      await another.dispose();
    });
  });
}

type Pictures = Pick<Batch, 'pixels' | 'count' | 'height' | 'width'>;

/** `[count, outputs]`: maps averaged over space and views. */
function meansOf({ data, shape: [views, count, outputs, height, width] }: OutputMaps): Float32Array {
  const positions = height * width;
  const means = new Float32Array(count * outputs);
  data.forEach((value, i) => {
    means[Math.floor(i / positions) % means.length]! += value / positions / views;
  });
  return means;
}

function source(id: string, spec: ForwardSpec, weights: Weights): NetworkSource {
  return { id, spec, preprocessing: referencePreprocessing, weights };
}

/** Noise that is the same every time. */
function pictures(count: number, height: number, width: number): Pictures {
  const pixels = Uint8Array.from(
    { length: count * height * width * 3 },
    (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24,
  );
  return { pixels, count, height, width };
}

function mirrored({ pixels, height, width }: Pictures): Pictures {
  const reversed = pixels.map((_, i) => {
    const [pixel, channel] = [Math.floor(i / 3), i % 3];
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    return pixels[(y * width + width - 1 - x) * 3 + channel]!;
  });
  return { pixels: reversed, count: 1, height, width };
}

/** Weights that see from (pixel / 255 - mean) / std in BGR what the given ones see from pixel - mean in RGB. */
function withFirstLayerOfScaledBgr(weights: Weights): Weights {
  const { shape, data } = weights.get('features.0.weight')!;
  const stdOfRgb = [0.3, 0.2, 0.25];
  const scaled = data.map((_, i) => {
    const [output, channel, place] = [Math.floor(i / 27), Math.floor(i / 9) % 3, i % 9];
    const rgb = 2 - channel;
    return data[output * 27 + rgb * 9 + place]! * 255 * stdOfRgb[rgb]!;
  });
  return new Map(weights).set('features.0.weight', { shape, data: scaled });
}
