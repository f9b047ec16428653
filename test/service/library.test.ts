import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEnsemble, openFeatures } from '../../src/index.ts';
import { untimed } from '../../src/inference/lifetime.ts';
import { readImageOptions } from '../../src/inference/options.ts';
import { type OpenEnsemble, type OpenOptions, openOptions } from '../../src/service/library.ts';
import { openInference } from '../../src/service/local-inference.ts';
import { tinyLabels, writeTinyEnsemble } from '../ensembles/tiny.ts';
import { waves } from '../inference/tiny.ts';

let tiny: OpenOptions;
let ensemble: OpenEnsemble;
let picture: Uint8Array;

beforeAll(async () => {
  const weights = await mkdtemp(join(tmpdir(), 'verydeep-'));
  for (const version of ['1', '2']) await writeTinyEnsemble(weights, version);
  tiny = { weights, ensemble: 'tiny@1', engine: 'reference' };
  ensemble = await openEnsemble(tiny);
  picture = await waves(60, 40);
});
afterAll(async () => {
  await ensemble.close();
  await rm(tiny.weights!, { recursive: true });
});

describe('openEnsemble', () => {
  it('opens the version that is asked for, and says what it is', async () => {
    expect(ensemble).toMatchObject({
      name: 'tiny',
      version: '1',
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      labels: tinyLabels,
      networks: ['a', 'b', 'boxes'],
    });
  });

  it.each<[object, string, string]>([
    [{ ensemble: 'tiny@9' }, 'INVALID_WEIGHTS', '9'],
    [{ devices: 'gpu' }, 'INVALID_SETTINGS', 'received "gpu"'],
    [{ engine: 'fast' }, 'INVALID_OPTION', 'engine: expected auto, onednn, onnx, reference; received "fast"'],
    [{ threads: -1 }, 'INVALID_OPTION', 'threads: expected'],
    [{ name: 'tiny' }, 'INVALID_OPTION', 'ensemble, weights, engine'],
  ])('refuses %j with %s', async (options, code, message) => {
    await expect(openEnsemble({ ...tiny, ...options })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it('answers what the commands answer, with the same defaults', async () => {
    const values = openOptions.parse(tiny);
    const local = await openInference({ ...values, ensemble: 'tiny', version: '1' });
    try {
      for (const task of ['classify', 'localise'] as const) {
        const options = readImageOptions(task, { top: 2 });
        const { result } = await local.inference.run(picture, options, untimed('test'));
        expect(await ensemble[task](picture, { top: 2 })).toEqual(result);
      }
    } finally {
      await local.dispose();
    }
  });

  it('answers overlapping calls, each with its own picture', async () => {
    const pictures = await Promise.all([0, 1, 2, 3].map((phase) => waves(60, 40, phase)));
    const alone: number[] = [];
    const top = async (bytes: Uint8Array): Promise<number> =>
      (await ensemble.classify(bytes, { scales: [32], flip: false })).classes[0]!.probability;
    for (const bytes of pictures) alone.push(await top(bytes));
    const together = await Promise.all(pictures.map(top));
    for (const [i, probability] of together.entries()) expect(probability).toBeCloseTo(alone[i]!, 5);
    expect(new Set(alone).size).toBe(4);
  });

  it('refuses wrong options and files, and a path in place of bytes', async () => {
    await expect(ensemble.classify(picture, { top: 0 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    const ofLocalise = { boxes: 'all' } as object;
    await expect(ensemble.classify(picture, ofLocalise)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(ensemble.localise(picture.subarray(0, 300))).rejects.toMatchObject({
      code: 'CORRUPT_IMAGE',
    });
    const path = 'photo.jpg' as never;
    await expect(ensemble.classify(path)).rejects.toMatchObject({
      code: 'NO_IMAGE',
      message: expect.stringContaining('a Uint8Array (a Buffer is one), received string'),
    });
  });

  it('drops a call that is aborted', async () => {
    const controller = new AbortController();
    const dropped = ensemble.classify(picture, { signal: controller.signal });
    controller.abort();
    await expect(dropped).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
  });

  it('bounds files and images when it is told to', async () => {
    const bounded = await openEnsemble({ ...tiny, maxPixels: 2399 });
    try {
      await expect(bounded.classify(picture)).rejects.toMatchObject({ code: 'TOO_MANY_PIXELS' });
    } finally {
      await bounded.close();
    }
  });

  it('answers what is under way before it is closed, and nothing after', async () => {
    const second = await openEnsemble({ ...tiny, ensemble: 'tiny@2' });
    const answer = second.classify(picture, { top: 5 });
    const closed = second.close();
    expect((await answer).classes).toHaveLength(5);
    await closed;
    await expect(second.classify(picture)).rejects.toMatchObject({ code: 'NOT_READY' });
  });
});

describe('openFeatures', () => {
  it('gives features of length one by network', async () => {
    const features = await openFeatures({ ...tiny, networks: ['b'], scales: [32, 48] });
    try {
      expect(features).toMatchObject({
        name: 'tiny',
        version: '1',
        networks: [{ name: 'b', fc: 4 }],
        scales: [32, 48],
      });
      const vectors = await features.extract(picture);
      expect([...vectors.keys()]).toEqual(['b']);
      expect(vectors.get('b')).toHaveLength(4);
      expect(Math.hypot(...vectors.get('b')!)).toBeCloseTo(1, 5);
      await expect(features.extract('photo.jpg' as never)).rejects.toMatchObject({ code: 'NO_IMAGE' });
    } finally {
      await features.close();
    }
  });

  it('refuses networks that have none, and scales that they cannot take, before anything is started', async () => {
    await expect(openFeatures({ ...tiny, networks: ['boxes'] })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
    await expect(openFeatures({ ...tiny, scales: [31] })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});
