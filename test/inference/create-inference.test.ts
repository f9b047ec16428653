import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Batch, Engine } from '../../src/engine/engine.ts';
import { VerydeepError } from '../../src/errors.ts';
import { gridCrops } from '../../src/image/crop-grid.ts';
import { decodeAtScales } from '../../src/image/decode.ts';
import type { Answer, PartialAnswer, RankedClass } from '../../src/inference/answer.ts';
import { chooseOptions, planImage } from '../../src/inference/jitter-plan.ts';
import { mergeBoxes } from '../../src/inference/merge.ts';
import type { InferenceOptions } from '../../src/inference/options.ts';
import { deferred } from '../deferred.ts';
import { fixturePath, readReference } from '../engine/reference-values.ts';
import {
  addedSize,
  defaults,
  patient,
  png,
  tiny,
  tinyEngine,
  tinyInference,
  tinyLimits,
  waves,
} from './tiny.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await tinyEngine();
});
afterAll(() => engine.dispose());

const run = async (bytes: Uint8Array, options: Partial<InferenceOptions> = {}) =>
  tinyInference(engine).run(bytes, { ...defaults, ...options }, patient());

/** One network over one picture, straight from the engine. */
async function raw(
  id: string,
  pixels: Uint8Array,
  [count, height, width]: [number, number, number],
  flip: boolean,
) {
  const batch = { networks: [`tiny/1/${id}`], pixels, count, height, width, flip, maps: true };
  return (await engine.run(batch)).get(`tiny/1/${id}`)!;
}

const probabilities = (classes: readonly RankedClass[]): number[] =>
  [...classes].sort((a, b) => a.index - b.index).map(({ probability }) => probability);

function expectClose(received: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  expect(received.length).toBe(expected.length);
  for (let i = 0; i < received.length; i++)
    expect(Math.abs(received[i]! - expected[i]!)).toBeLessThan(tolerance);
}

const mean = (vectors: readonly ArrayLike<number>[]): number[] =>
  Array.from(vectors[0]!, (_, i) => vectors.reduce((sum, vector) => sum + vector[i]!, 0) / vectors.length);

describe('classification', () => {
  it('is the mean of posteriors over networks and scales, of the whole picture', async () => {
    const bytes = await waves(150, 100);
    const { pictures } = await decodeAtScales(bytes, tiny.scales, tinyLimits);
    const posteriors: Float32Array[] = [];
    for (const { pixels, width, height } of pictures) {
      for (const id of ['d', 'e'])
        posteriors.push((await raw(id, pixels, [1, height, width], true)).posteriors!);
    }
    const { result, plan } = await run(bytes, { top: 10 });
    expect(result).toMatchObject({ width: 150, height: 100 });
    expectClose(probabilities(result.classes), mean(posteriors));
    expect(probabilities(result.classes).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    expect(plan).toEqual({ scales: [64, 96, 128], flip: true, view: 'dense', networks: ['d', 'e'] });
    expect(result.detections).toBeUndefined();
    expect(result.maps).toBeUndefined();
  });

  it('of crops is the mean over a 5 x 5 grid, and of both views the mean of the two', async () => {
    const bytes = await waves(150, 100);
    const [picture] = (await decodeAtScales(bytes, [96], tinyLimits)).pictures;
    const crops = gridCrops(picture!, tiny.crop);
    const posteriors = await Promise.all(
      crops.map(async ({ pixels }) => (await raw('d', pixels, [1, 64, 64], false)).posteriors!),
    );
    const dense = (await raw('d', picture!.pixels, [1, picture!.height, picture!.width], false)).posteriors!;
    const options = { scales: [96], networks: ['d'], flip: false, top: 10 };
    const ofCrops = await run(bytes, { ...options, view: 'crops' });
    expectClose(probabilities(ofCrops.result.classes), mean(posteriors));
    const ofBoth = await run(bytes, { ...options, view: 'both' });
    expectClose(probabilities(ofBoth.result.classes), mean([mean(posteriors), dense]));
  });

  it('of more crops than a batch may hold is of several batches, and the same', async () => {
    const bytes = await waves(150, 100);
    const options = { ...defaults, view: 'both', scales: [96], top: 10 } as const;
    const tasks = planImage(tiny, chooseOptions(tiny, options), { width: 150, height: 100 }).scales[0]!.tasks;
    const workOfCrop = tasks[1]!.work / 25;
    const askedWith = async (maxBatchWork: number) => {
      const batches: { pictures: number; work: number }[] = [];
      const inference = tinyInference(engine, {
        batching: { maxBatchWork },
        observer: { stage() {}, batch: (pictures, work) => void batches.push({ pictures, work }) },
      });
      const { result } = await inference.run(bytes, options, patient());
      expect(inference.queue()).toMatchObject({ requests: 0, work: 0 });
      return { result, batches };
    };
    const whole = await askedWith(1e12);
    expect(whole.batches.map(({ pictures }) => pictures)).toEqual([1, 25]);
    for (const [crops, parts] of [
      [12.5, [9, 9, 7]],
      [1.5, Array(25).fill(1)],
      [0.5, Array(25).fill(1)], // one that is too large runs alone
    ] as const) {
      const { result, batches } = await askedWith(crops * workOfCrop);
      expect(batches.map(({ pictures }) => pictures)).toEqual([1, ...parts]);
      for (const { pictures, work } of batches.slice(1)) expect(work).toBeCloseTo(pictures * workOfCrop, 0);
      expectClose(probabilities(result.classes), probabilities(whole.result.classes), 1e-6);
    }
  });

  it('shows where a class is seen', async () => {
    const { result } = await run(await waves(150, 100), { maps: true, top: 2, flip: false, scales: [96] });
    expect(result.maps!.map(({ index, scale, height, width }) => [index, scale, height, width])).toEqual(
      result.classes.map(({ index }) => [index, 96, 2, 3]),
    );
    for (const { values } of result.maps!) expect(values).toHaveLength(6);
  });

  it('enlarges a tiny image, and compresses a very long one', async () => {
    expect((await run(await waves(1, 1), { scales: [64] })).result).toMatchObject({ width: 1, height: 1 });
    expect((await run(await waves(1000, 5), { scales: [64] })).result.classes).toHaveLength(5);
  });
});

describe('localisation', () => {
  it('predicts the boxes of the reference networks, merged and in pixels of the image', async () => {
    // A picture of its own scale, so that the reference's maps of it are those of the whole way.
    const boxMaps = (['pcr', 'scr'] as const).map((head) => {
      const { numbers, pixels } = readReference(fixturePath(`d-tiny-${head}.training`));
      return { head, map: numbers('dense.box_map'), picture: pixels('dense.picture') };
    });
    const { pixels, shape } = boxMaps[0]!.picture;
    const [height, width] = shape as [number, number];
    const image = await png(pixels, width, height);

    const { result } = await run(image, {
      task: 'localise',
      scales: [97],
      flip: false,
      networks: ['d'],
      top: 10,
      boxes: 'all',
    });

    const scores = (await raw('d', pixels, [1, height, width], false)).maps!.data;
    const softmax = (c: number, p: number): number =>
      Math.exp(scores[c * 6 + p]!) /
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].reduce((sum, k) => sum + Math.exp(scores[k * 6 + p]!), 0);
    for (const ranked of result.classes) {
      const candidates = boxMaps.flatMap(({ head, map }) =>
        [0, 1, 2, 3, 4, 5].map((p) => {
          const at = (k: number): number =>
            (map[((head === 'pcr' ? 4 * ranked.index : 0) + k) * 6 + p]! + (k >= 2 ? addedSize : 0)) * 64;
          const [x, y] = [32 * (p % 3) + at(0), 32 * Math.floor(p / 3) + at(1)];
          const box = { x: x - at(2) / 2, y: y - at(3) / 2, width: at(2), height: at(3) };
          return { box, posterior: softmax(ranked.index, p) };
        }),
      );
      const usable = candidates.filter(({ box }) => box.width > 0 && box.height > 0);
      const merged = mergeBoxes(usable.sort((a, b) => b.posterior - a.posterior));
      const expected = merged.flatMap(({ box, score, windows }) => {
        const [left, top] = [Math.max(0, box.x), Math.max(0, box.y)];
        const [right, bottom] = [Math.min(width, box.x + box.width), Math.min(height, box.y + box.height)];
        return right > left && bottom > top
          ? [{ numbers: [left, top, right - left, bottom - top, score], windows }]
          : [];
      });
      const own = result.detections!.filter(({ index }) => index === ranked.index);
      expect(own.map(({ windows }) => windows)).toEqual(expected.map(({ windows }) => windows));
      own.forEach(({ box, score, probability, label }, k) => {
        expectClose([box.x, box.y, box.width, box.height, score], expected[k]!.numbers, 1e-2);
        expect({ probability, label }).toEqual({ probability: ranked.probability, label: ranked.label });
      });
    }
    expect(result.detections!.length).toBeGreaterThan(10);
  });

  it('answers at most one best box a class, inside the image', async () => {
    const { result, plan } = await run(await waves(300, 170), { task: 'localise', top: 4 });
    expect(plan.networks).toEqual(['d', 'e', 'pcr', 'scr']);
    const classes = result.detections!.map(({ index }) => index);
    expect(classes).toEqual(
      result.classes.map(({ index }) => index).filter((index) => classes.includes(index)),
    );
    for (const { box } of result.detections!) {
      expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(300);
      expect(box.y + box.height).toBeLessThanOrEqual(170);
    }
    const all = await run(await waves(300, 170), { task: 'localise', top: 4, boxes: 'all' });
    for (const best of result.detections!) {
      const scores = all.result
        .detections!.filter(({ index }) => index === best.index)
        .map(({ score }) => score);
      expect(Math.max(...scores)).toBeCloseTo(best.score, 5);
    }
  });
});

describe('a request', () => {
  it('gets the same answer alone and in any company', async () => {
    const files = await Promise.all([0, 1, 2, 3, 4, 5].map((phase) => waves(120, 90, phase)));
    const alone: Answer[] = [];
    for (const file of files) alone.push(await run(file, { task: 'localise' }));
    const batches: Batch[] = [];
    const counting = {
      run: (batch: Batch) => {
        batches.push(batch);
        return engine.run(batch);
      },
    };
    const inference = tinyInference(counting);
    const together = await Promise.all(
      files.map((file) => inference.run(file, { ...defaults, task: 'localise' }, patient())),
    );
    together.forEach(({ result }, k) => {
      const expected = alone[k]!.result;
      expect(result.classes.map(({ index }) => index)).toEqual(expected.classes.map(({ index }) => index));
      expectClose(probabilities(result.classes), probabilities(expected.classes));
      expect(result.detections!.map(({ index, windows }) => [index, windows])).toEqual(
        expected.detections!.map(({ index, windows }) => [index, windows]),
      );
    });
    expect(batches.some(({ count }) => count > 1)).toBe(true);
    expect(batches.reduce((sum, { count }) => sum + count, 0)).toBe(18);
    expect(inference.queue()).toMatchObject({ requests: 0, work: 0 });
  });

  it('hears of each scale but the last, and where its time went', async () => {
    const partials: PartialAnswer[] = [];
    const stages: string[] = [];
    const inference = tinyInference(engine, {
      observer: {
        stage: (stage, seconds) => void (seconds >= 0 && stages.push(stage)),
        batch: () => stages.push('batch'),
      },
    });
    const context = { ...patient(), onPartial: (partial: PartialAnswer) => void partials.push(partial) };
    const { result, timing } = await inference.run(
      await waves(120, 90),
      { ...defaults, task: 'localise' },
      context,
    );
    expect(partials.map(({ scalesDone }) => scalesDone.length)).toEqual([1, 2]);
    expect(partials[0]!.result).toMatchObject({ width: 120, height: 90 });
    expect(partials[0]!.result.classes).toHaveLength(5);
    expect(partials[1]!.result.detections).toBeDefined();
    expect(result.classes).toHaveLength(5);
    for (const ms of Object.values(timing)) expect(ms).toBeGreaterThanOrEqual(0);
    const count = (name: string): number => stages.filter((stage) => stage === name).length;
    expect(['decode', 'queue', 'batch_wait', 'inference', 'batch'].map(count)).toEqual([1, 3, 3, 3, 3]);
  });

  it.each([
    { doneInOrder: [64, 96, 128], told: [[64], [64, 96]] },
    { doneInOrder: [96, 64, 128], told: [[64, 96]] },
    { doneInOrder: [64, 128, 96], told: [[64]] },
    { doneInOrder: [128, 96, 64], told: [] },
  ])('hears of scales from coarse to fine: $doneInOrder', async ({ doneInOrder, told }) => {
    const begun: number[] = [];
    const turns = doneInOrder.map(() => deferred());
    turns[0]!.resolve();
    const ordered: Pick<Engine, 'run'> = {
      async run(batch) {
        begun.push(batch.height);
        const turn = doneInOrder.indexOf(batch.height);
        await turns[turn]!.promise;
        const answer = await engine.run(batch);
        setImmediate(() => turns[turn + 1]?.resolve());
        return answer;
      },
    };
    const partials: PartialAnswer[] = [];
    const context = { ...patient(), onPartial: (partial: PartialAnswer) => void partials.push(partial) };
    const inference = tinyInference(ordered, { devices: 3 });
    const options = { ...defaults, scales: [128, 64, 96] };
    const { plan } = await inference.run(await waves(100, 100), options, context);
    expect(begun).toEqual([64, 96, 128]);
    expect(partials.map(({ scalesDone }) => scalesDone)).toEqual(told);
    expect(plan.scales).toEqual([128, 64, 96]);
  });

  it('is refused for what is wrong with it, and leaves the queue empty', async () => {
    const inference = tinyInference(engine);
    const image = await waves(120, 90);
    const ask = (bytes: Uint8Array, options: Partial<InferenceOptions> = {}) =>
      inference.run(bytes, { ...defaults, ...options }, patient());
    await expect(ask(new Uint8Array(0))).rejects.toMatchObject({ code: 'NO_IMAGE' });
    await expect(ask(new Uint8Array(100))).rejects.toMatchObject({ code: 'UNSUPPORTED_IMAGE' });
    await expect(ask(image.subarray(0, 500))).rejects.toMatchObject({ code: 'CORRUPT_IMAGE' });
    await expect(ask(await waves(1001, 1000))).rejects.toMatchObject({ code: 'TOO_MANY_PIXELS' });
    await expect(ask(new Uint8Array(0), { networks: ['x'] })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
    expect(inference.queue()).toMatchObject({ requests: 0, work: 0 });
  });

  it('is not waited for past its deadline, or when its caller has gone', async () => {
    const inference = tinyInference({ run: () => new Promise(() => {}) });
    const image = await waves(120, 90);
    const late = inference.run(image, defaults, { ...patient(), deadline: performance.now() + 30 });
    await expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const caller = new AbortController();
    const gone = inference.run(image, defaults, { ...patient(), signal: caller.signal });
    caller.abort();
    await expect(gone).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
    await expect(
      inference.run(image, defaults, { ...patient(), signal: caller.signal }),
    ).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
  });

  it('is refused before it is decoded where the queue is full', async () => {
    let called!: () => void;
    const running = new Promise<void>((resolve) => {
      called = resolve;
    });
    const stuck = {
      run: () => {
        called();
        return new Promise<never>(() => {});
      },
    };
    const inference = tinyInference(stuck, {
      batching: { maxQueueWork: 1e9 },
    });
    const image = await waves(120, 90);
    const caller = new AbortController();
    const first = inference.run(
      image,
      { ...defaults, view: 'both' },
      { ...patient(), signal: caller.signal },
    );
    await running;
    const refused = inference.run(image, defaults, patient());
    await expect(refused).rejects.toMatchObject({ code: 'QUEUE_FULL', retryAfterSeconds: 1 });
    caller.abort();
    await expect(first).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
  });

  it('fails with its engine, and its other scales are dropped', async () => {
    let calls = 0;
    const failing = {
      run: async () => {
        calls++;
        await new Promise(setImmediate);
        throw new VerydeepError('ENGINE_FAILED', 'no');
      },
    };
    const inference = tinyInference(failing);
    const options = { ...defaults, scales: [64, 80, 96, 112, 128] };
    const failed = inference.run(await waves(120, 90), options, patient());
    await expect(failed).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    await new Promise(setImmediate);
    // Two were with the engine, and a third may take the place of the first that failed.
    expect(calls).toBeLessThanOrEqual(3);
    expect(inference.queue()).toMatchObject({ requests: 0, work: 0 });
  });
});
