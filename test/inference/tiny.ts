import sharp from 'sharp';
import { createDecoders, type Decoders } from '../../src/decoding/decoders.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { engines } from '../../src/engine/engines.ts';
import type { Ensemble, EnsembleNetwork } from '../../src/ensembles/ensemble.ts';
import { createInference } from '../../src/inference/create-inference.ts';
import type { Inference, RequestContext } from '../../src/inference/inference.ts';
import { untimed } from '../../src/inference/lifetime.ts';
import { networkSources } from '../../src/inference/network-sources.ts';
import { readImageOptions } from '../../src/inference/options.ts';
import type { QueueState } from '../../src/inference/scheduling/admission.ts';
import type { InferenceObserver } from '../../src/inference/scheduling/observer.ts';
import { type BatchingOptions, createScheduler } from '../../src/inference/scheduling/scheduler.ts';
import type { ArchitectureName, Head } from '../../src/network/architecture.ts';
import type { Weights } from '../../src/network/weights.ts';
import { hashedWeights } from '../network/hashed.ts';

/** Of the reference networks (test/fixtures/reference). */
const shape = { width: 1 / 16, fc: 32, classes: 10, crop: 64 } as const;

/** Streams of the hashed weights; 15000 is the reference's localisation networks'. */
const streams = { d: 1, e: 2, pcr: 15000, scr: 15000 } as const;

function network(name: keyof typeof streams, architecture: ArchitectureName, head: Head): EnsembleNetwork {
  return {
    name,
    spec: { architecture, ...shape, head },
    preprocessing: { channelOrder: 'rgb', scale: 1, mean: [123.68, 116.779, 103.939], std: [1, 1, 1] },
    trainingScale: { min: 96, max: 96 },
    path: '',
  };
}

/** Two classifiers and a localisation network of either kind, crop 64, with hashed weights. */
export const tiny: Ensemble = {
  name: 'tiny',
  version: '1',
  digest: 'sha256:0',
  labels: Array.from({ length: shape.classes }, (_, index) => `class ${index}`),
  classifiers: [network('d', 'D', 'classes'), network('e', 'E', 'classes')],
  localisers: [network('pcr', 'D', 'pcr'), network('scr', 'D', 'scr')],
  crop: shape.crop,
  scales: [64, 96, 128],
};

/** Added to width and height of all boxes, most of which would be negative with hashed weights. */
export const addedSize = 2;

/** An engine with the networks of {@link tiny}. */
export async function tinyEngine(): Promise<Engine> {
  const engine = await engines.createEngine({
    engine: 'onnx',
    device: 'cpu',
    threads: 1,
    sharedCores: true,
    precision: 'fp32',
  });
  const networks = [...tiny.classifiers, ...tiny.localisers];
  for (const [i, source] of networkSources(tiny).entries()) {
    const weights = hashedWeights(source.spec, streams[networks[i]!.name as keyof typeof streams]);
    if (source.spec.head !== 'classes') enlargeBoxes(weights);
    await engine.load({ ...source, weights });
  }
  return engine;
}

function enlargeBoxes(weights: Weights): void {
  const { data } = weights.get('classifier.6.bias')!;
  for (let i = 0; i < data.length; i++) if (i % 4 >= 2) data[i]! += addedSize;
}

export const tinyLimits = { maxFileBytes: 1e6, maxPixels: 1e6 };

/** Of a test file; they end with its process. */
let decoders: Decoders | undefined;

export function tinyDecoders(): Decoders {
  decoders ??= createDecoders({ processes: 2, limits: tinyLimits, timeoutMs: 60_000 });
  return decoders;
}

/** Inference with the limits of a small server, on a scheduler of its own. */
export function tinyInference(
  engine: Pick<Engine, 'run'>,
  changes: { batching?: Partial<BatchingOptions>; observer?: InferenceObserver; devices?: number } = {},
): Inference & { queue(): QueueState } {
  const batching = { batchDelayMs: 1, maxBatchWork: 1e9, maxQueueWork: 1e12, ...changes.batching };
  const { observer, devices = 1 } = changes;
  const scheduler = createScheduler({ devices, batching });
  return {
    ...createInference({ ensemble: tiny, engine, scheduler, decoders: tinyDecoders(), observer }),
    queue: scheduler.queue,
  };
}

export const defaults = readImageOptions('classify', {});

/** Somebody who waits for ever. */
export const patient = (): RequestContext => untimed('test');

/** A PNG file of pixels `[height, width, 3]`. */
export function png(pixels: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** A PNG of coloured waves: no two alike. */
export function waves(width: number, height: number, phase = 0): Promise<Uint8Array> {
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, k) => {
    const [x, y] = [Math.floor(k / 3) % width, Math.floor(k / 3 / width)];
    return 128 + 127 * Math.sin(x / 9 + (k % 3) * phase + Math.cos(y / 7 + phase));
  });
  return png(pixels, width, height);
}
