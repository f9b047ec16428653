/** Readers of the reference values (test/fixtures/reference, and folders of the same form for `verify:reference`). */
import { fileURLToPath } from 'node:url';
import type { TrainingBatch, TrainingStepOptions } from '../../src/engine/training-step.ts';
import { openSafetensors, type Safetensors } from '../../src/formats/safetensors/read.ts';
import type { NetworkSpec } from '../../src/network/architecture.ts';
import type { Preprocessing } from '../../src/network/preprocessing.ts';
import { copyOfTensor, type Weights } from '../../src/network/weights.ts';
import { hashedWeights } from '../network/hashed.ts';

/** Pre-processing of all reference values. */
export const referencePreprocessing: Preprocessing = {
  channelOrder: 'rgb',
  scale: 1,
  mean: [123.68, 116.779, 103.939],
  std: [1, 1, 1],
};

/** How the networks of all reference values are trained. */
export const referenceTraining = {
  preprocessing: referencePreprocessing,
  momentum: 0.9,
  weightDecay: 5e-4,
  trainable: 'all',
  device: 'cpu',
  precision: 'fp32',
} as const satisfies Partial<TrainingStepOptions>;

/** Path of a fixture: `d-tiny.forward`. */
export const fixturePath = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/reference/${name}.safetensors`, import.meta.url));

export interface ReferenceFile extends Safetensors {
  numbers(key: string): Float32Array;
  /** Of a tensor of bytes. */
  pixels(key: string): { readonly pixels: Uint8Array; readonly shape: readonly number[] };
}

export function readReference(path: string): ReferenceFile {
  const file = openSafetensors(path);
  return {
    ...file,
    numbers: (key) => copyOfTensor(file.tensors.get(key)!).data,
    pixels(key) {
      const tensor = file.tensors.get(key)!;
      return {
        pixels: Buffer.concat(Array.from(tensor.parts(), (part) => part.slice())),
        shape: tensor.shape,
      };
    },
  };
}

/** A fixture with its network and hashed weights. */
export async function readFixture(
  name: string,
): Promise<{ file: ReferenceFile; spec: NetworkSpec; weights: Weights }> {
  const file = readReference(fixturePath(name));
  const spec = JSON.parse(file.metadata.spec!) as NetworkSpec;
  return { file, spec, weights: hashedWeights(spec, Number(file.metadata.stream)) };
}

export interface ForwardCase {
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly scoreMap: Float32Array;
  readonly mirroredScoreMap: Float32Array;
  readonly posterior: Float32Array;
  readonly flipAveraged: Float32Array;
}

export function forwardCases({ tensors, numbers, pixels: pixelsOf }: ReferenceFile): ForwardCase[] {
  const cases: ForwardCase[] = [];
  for (let k = 0; tensors.has(`${k}.picture`); k++) {
    const { pixels, shape } = pixelsOf(`${k}.picture`);
    cases.push({
      pixels,
      height: shape[0]!,
      width: shape[1]!,
      scoreMap: numbers(`${k}.score_map`),
      mirroredScoreMap: numbers(`${k}.score_map_mirrored`),
      posterior: numbers(`${k}.posterior`),
      flipAveraged: numbers(`${k}.posterior_flip_averaged`),
    });
  }
  return cases;
}

/** The batch under `prefix` (`0.`, or none); where the file holds no dropout masks, they are ones. */
export function trainingBatch(
  { tensors, numbers, pixels: pixelsOf }: ReferenceFile,
  prefix: string,
  fc: number,
): TrainingBatch {
  const { pixels, shape } = pixelsOf(`${prefix}pictures`);
  const count = shape[0]!;
  const mask = (key: string): Float32Array =>
    tensors.has(key) ? numbers(key) : new Float32Array(count * fc).fill(1);
  return {
    pixels,
    colourShift: new Float32Array(count * 3),
    labels: Int32Array.from(numbers(`${prefix}labels`)),
    dropout: [mask(`${prefix}mask6`), mask(`${prefix}mask7`)],
    ...(tensors.has(`${prefix}boxes`) && { boxes: numbers(`${prefix}boxes`) }),
  };
}

/** Largest absolute difference; infinite where lengths differ or a number is missing. */
export function largestDifference(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return largest;
}

/** |actual - expected| / |expected| in the L2 norm. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}

/** The worst tensor's {@link relativeError} against those that the file holds under `prefix`. */
export function worstTensor(
  actual: Weights,
  expected: (name: string) => Float32Array,
): { readonly name: string; readonly error: number } {
  let worst = { name: 'none', error: 0 };
  for (const [name, { data }] of actual) {
    const error = relativeError(data, expected(name));
    if (!(error <= worst.error)) worst = { name, error };
  }
  return worst;
}

/** Pictures `start` to `start + count` of a batch. */
export function picturesOf(batch: TrainingBatch, start: number, count: number): TrainingBatch {
  const total = batch.labels.length;
  const slice = <T extends Uint8Array | Float32Array | Int32Array>(values: T): T => {
    const each = values.length / total;
    return values.slice(start * each, (start + count) * each) as T;
  };
  return {
    pixels: slice(batch.pixels),
    colourShift: slice(batch.colourShift),
    labels: slice(batch.labels),
    dropout: [slice(batch.dropout[0]), slice(batch.dropout[1])],
  };
}
