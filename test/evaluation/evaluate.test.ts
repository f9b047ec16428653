import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ensemble } from '../../src/ensembles/ensemble.ts';
import { VerydeepError } from '../../src/errors.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { tableRows } from '../../src/evaluation/rows.ts';
import type { Inference, InferenceOptions } from '../../src/inference/inference.ts';
import type { Listing } from '../../src/training/image-folder.ts';

const ensemble: Ensemble = {
  name: 'known',
  version: '1',
  digest: 'sha256:0',
  labels: ['ant', 'bee', 'cat'],
  classifiers: [],
  localisers: [],
  crop: 32,
  scales: [32, 64],
};

/** Posteriors by network and content of the image, at every scale. */
const answers: Record<string, Record<string, readonly number[]>> = {
  d: { first: [0.6, 0.3, 0.1], second: [0.5, 0.4, 0.1] },
  e: { first: [0.1, 0.5, 0.4], second: [0.1, 0.7, 0.2] },
};

let folder: string;
let listing: Listing;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'verydeep-'));
  const sample = (name: string, label: number, box?: readonly [number, number, number, number]) => {
    writeFileSync(join(folder, name), name);
    return { name, path: join(folder, name), label, ...(box && { box }) };
  };
  listing = {
    labels: ['bee', 'ant', 'wasp'],
    samples: [
      sample('first', 1, [0, 0, 10, 10]),
      sample('second', 0, [0, 0, 10, 10]),
      sample('third', 2),
      sample('broken', 0),
    ],
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

const asked: InferenceOptions[] = [];

const inference: Inference = {
  async run(bytes, options) {
    const name = Buffer.from(bytes).toString();
    if (name === 'broken') throw new VerydeepError('CORRUPT_IMAGE', 'half a JPEG');
    asked.push(options);
    const given = answers[options.networks![0]!]![name]!;
    const classes = given.map((probability, index) => ({
      index,
      label: ensemble.labels[index]!,
      probability,
    }));
    const detections = classes.map((entry) => ({
      ...entry,
      score: 1,
      windows: 1,
      box: { x: 0, y: 0, width: 10, height: name === 'first' ? 10 : 1 },
    }));
    return {
      result: { width: 10, height: 10, classes, ...(options.task === 'localise' && { detections }) },
      plan: { scales: options.scales!, flip: options.flip, view: options.view, networks: options.networks! },
      timing: { decodeMs: 0, queueMs: 0, inferenceMs: 0 },
    };
  },
  queue: () => ({ requests: 0, work: 0, maxWork: 1 }),
};

describe('evaluation', () => {
  it('has the known answers, and runs each pass once an image', async () => {
    const rows = tableRows(['d', 'e'], [32, 64], true, 'dense');
    const localise = { scales: [32], networks: ['d'], flip: true };
    const evaluation = await evaluate({ inference, ensemble, listing, rows, localise, concurrency: 2 });
    const [d, e, , , both] = evaluation.rows;
    expect(d).toMatchObject({ networks: ['d'], scales: [64], flip: false, top1: 0.5, meanPerClass: 0.5 });
    expect(e).toMatchObject({ networks: ['e'], top1: 0.5 });
    // first: (0.35, 0.4, 0.25) is wrong; second: (0.3, 0.55, 0.15) is right.
    expect(both).toMatchObject({ networks: ['d', 'e'], scales: [32, 64], flip: true, top1: 0.5, top5: 1 });
    expect(evaluation.localisation).toEqual({ images: 2, top5Error: 0.5 });
    expect(evaluation.images).toBe(2);
    expect(evaluation.skipped).toEqual(['third: a class that known does not know', 'broken: half a JPEG']);
    const keys = asked.map(({ task, networks, scales, flip }) => `${task} ${networks} ${scales} ${flip}`);
    expect(keys.length).toBe(2 * (2 + 4 + 1));
  });

  it('refuses a split of which no class is known', async () => {
    const strangers = { labels: ['x', 'y', 'z'], samples: listing.samples };
    const rows = tableRows(['d'], [32], true, 'dense');
    await expect(
      evaluate({ inference, ensemble, listing: strangers, rows, concurrency: 1 }),
    ).rejects.toMatchObject({ code: 'INVALID_DATASET', message: expect.stringContaining('x, y, z') });
  });
});

describe('rows', () => {
  it('are not repeated where one network, one scale and no flip leave nothing to compare', () => {
    expect(tableRows(['d'], [32], false, 'dense')).toHaveLength(1);
    expect(tableRows(['d', 'e'], [32, 64, 96], true, 'dense').map(({ scales }) => scales.length)).toEqual([
      1, 1, 3, 3, 3,
    ]);
  });
});
