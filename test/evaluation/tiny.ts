import { join } from 'node:path';
import { readListing } from '../../src/datasets/read-listing.ts';
import type { Batch } from '../../src/engine/engine.ts';
import { createReferenceEngine } from '../../src/engine/reference/engine.ts';
import { writeEnsembleVersion } from '../../src/ensembles/write.ts';
import { readCompared } from '../../src/evaluation/compared.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import type { Evaluation } from '../../src/evaluation/evaluation.ts';
import type { EvaluationOptions } from '../../src/evaluation/run.ts';
import type { PixelBox } from '../../src/image/box.ts';
import type { ArchitectureName, Head, NetworkSpec } from '../../src/network/architecture.ts';
import type { Weights } from '../../src/network/weights.ts';
import { writeRun } from '../ensembles/run.ts';
import { waves } from '../inference/tiny.ts';
import { hashedWeights } from '../network/hashed.ts';
import { put } from '../training/pictures.ts';

/** A network with hashed weights, as it stands in an ensemble or a run folder. */
export interface TinyNetwork {
  readonly name: string;
  readonly spec: NetworkSpec;
  readonly labels: readonly string[];
  readonly trainingScale: { readonly min: number; readonly max: number };
  readonly trainable?: 'all' | 'fullyConnected';
  readonly weights: Weights;
}

export const preprocessing = {
  channelOrder: 'rgb',
  scale: 1,
  mean: [124, 117, 104] as [number, number, number],
  std: [1, 1, 1] as [number, number, number],
} as const;

const orders = {
  mine: ['fox', 'cat', 'ant', 'eel', 'bee', 'dog', 'gnu'],
  sorted: ['ant', 'bee', 'cat', 'dog', 'eel', 'fox', 'gnu'],
  other: ['bee', 'cat', 'yak', 'hen', 'ant', 'owl', 'pig'],
};

function network(
  name: string,
  architecture: ArchitectureName,
  head: Head,
  stream: number,
  rest: Pick<TinyNetwork, 'labels' | 'trainingScale' | 'trainable'> & { readonly crop?: number },
): TinyNetwork {
  const { crop = 32, ...own } = rest;
  const spec = { architecture, head, width: 1 / 32, fc: 8, crop, classes: own.labels.length };
  const weights = hashedWeights(spec, stream);
  if (head !== 'classes') centreBoxes(weights);
  return { name, spec, weights, ...own };
}

/** Boxes of hashed weights are anywhere; these are around the middle of the window, and most of it. */
function centreBoxes(weights: Weights): void {
  const { data } = weights.get('classifier.6.weight')!;
  for (let i = 0; i < data.length; i++) data[i]! /= 8;
  const { data: bias } = weights.get('classifier.6.bias')!;
  for (let i = 0; i < bias.length; i++) bias[i] = i % 4 < 2 ? 0.5 : 0.75;
}

const fixed = { min: 48, max: 48 };
const jittered = { min: 32, max: 64 };

/** Ensembles `mine` (crop 32) and `big` (crop 64), which share three labels. */
export const ensembles: Record<'mine' | 'big', readonly TinyNetwork[]> = {
  mine: [
    network('a', 'A', 'classes', 3, { labels: orders.mine, trainingScale: fixed }),
    network('b', 'B', 'classes', 4, { labels: orders.mine, trainingScale: jittered }),
    network('boxes', 'A', 'pcr', 5, { labels: orders.mine, trainingScale: fixed }),
  ],
  big: [
    network('a', 'A', 'classes', 6, { labels: orders.other, trainingScale: { min: 64, max: 64 }, crop: 64 }),
  ],
};

/** Run folders of crop 32: a classifier with the classes of `mine` in another order, and box networks. */
export const runs: readonly TinyNetwork[] = [
  network('c', 'A', 'classes', 7, { labels: orders.sorted, trainingScale: fixed }),
  network('scr', 'A', 'scr', 8, { labels: orders.sorted, trainingScale: fixed, trainable: 'fullyConnected' }),
  network('pcr', 'A', 'pcr', 9, { labels: orders.sorted, trainingScale: fixed, trainable: 'all' }),
];

export interface TinyImage {
  readonly name: string;
  readonly label: string;
  readonly path: string;
  readonly box?: PixelBox;
}

const sizes = [
  [48, 48],
  [64, 48],
  [48, 80],
] as const;

/** Writes `ROOT/data/val`: pictures of three classes in three shapes, two of three with a box. */
export async function writeTinyDataset(root: string, imagesPerClass = 4): Promise<TinyImage[]> {
  const images: TinyImage[] = [];
  for (const [c, label] of ['ant', 'bee', 'cat'].entries()) {
    for (let i = 0; i < imagesPerClass; i++) {
      const n = c * imagesPerClass + i;
      const [width, height] = sizes[n % 3]!;
      const name = `${label}/${i}.png`;
      const path = join(root, 'data', 'val', name);
      put(path, Buffer.from(await waves(width, height, n + 1)));
      const box = [6 + (n % 7), 5 + (n % 9), width - 26 + (n % 5), height - 24 + (n % 4)] as const;
      images.push({ name, label, path, ...(i % 3 < 2 && { box }) });
    }
  }
  const lines = images.flatMap(({ name, label, box }) =>
    box ? [JSON.stringify({ file_name: name, label, objects: { bbox: [box] } })] : [],
  );
  put(join(root, 'data', 'val', 'metadata.jsonl'), lines.join('\n'));
  return images;
}

/** Writes `ROOT/weights/NAME/1` and `ROOT/runs/NAME`. */
export async function writeTinyNetworks(root: string): Promise<void> {
  for (const [ensemble, networks] of Object.entries(ensembles)) {
    await writeEnsembleVersion(join(root, 'weights'), {
      ensemble,
      version: '1',
      labels: [...networks[0]!.labels],
      networks: networks.map(({ name, spec, trainingScale, weights }) => ({
        name,
        ...spec,
        preprocessing,
        trainingScale,
        provenance: { command: 'verydeep train' },
        weights,
      })),
    });
  }
  for (const { name, ...run } of runs) await writeRun(join(root, 'runs', name), { ...run, preprocessing });
}

/** An evaluation of the first ensemble by the engine to read beside the paper. */
export function tinyJob(root: string, changes: Partial<EvaluationOptions> = {}): EvaluationOptions {
  return {
    data: join(root, 'data'),
    split: 'val',
    weights: join(root, 'weights'),
    ensembles: ['mine'],
    runs: [],
    flip: true,
    view: ['dense'],
    localise: false,
    engine: 'reference',
    devices: 'cpu',
    threads: 1,
    precision: 'fp32',
    signal: new AbortController().signal,
    ...changes,
  };
}

/** What {@link runEvaluation} does, with the engine in this process. `onRun` sees every batch. */
export async function evaluateHere(
  options: EvaluationOptions,
  onRun: (batch: Batch) => void = () => undefined,
): Promise<Evaluation | undefined> {
  const engine = createReferenceEngine();
  const compared = await readCompared(options);
  for (const { source } of [...compared.classifiers, ...compared.localisers]) await engine.load(source);
  const { data, split } = options;
  return evaluate({
    ...options,
    views: options.view,
    engine: {
      run(batch) {
        onRun(batch);
        return engine.run(batch);
      },
    },
    engineInfo: { engine: 'reference', device: 'cpu', precision: 'fp32' },
    devices: 1,
    limits: { maxFileBytes: 1e6, maxPixels: 1e6 },
    compared,
    data: { folder: data, split, listing: await readListing(data, split, { boxes: true }) },
  });
}
