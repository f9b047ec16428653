import type { Tensor } from 'onnxruntime-node';
import { VerydeepError } from '../../errors.ts';
import type { TrainingBatch, TrainingStepOptions } from '../training-step.ts';
import type { Ort } from './runtime.ts';

/**
 * A micro-batch as inputs of the training graph. Throws ENGINE_FAILED where something is of another size than the
 * graph was made for, or a label is no class.
 */
export function feedsOf(
  ort: Ort,
  { spec, microBatch: n }: TrainingStepOptions,
  { pixels, colourShift, labels, boxes, dropout }: TrainingBatch,
  share: number,
): Record<string, Tensor> {
  const { crop, fc, classes, head } = spec;
  const floats = (name: string, data: Float32Array | undefined, shape: readonly number[]): Tensor =>
    new ort.Tensor('float32', sized(name, data, shape), shape);
  return {
    pixels: new ort.Tensor('uint8', sized('pixels', pixels, [n, crop, crop, 3]), [n, crop, crop, 3]),
    colourShift: floats('colourShift', colourShift, [n, 3, 1, 1]),
    'dropout.0': floats('dropout[0]', dropout[0], [n, fc]),
    'dropout.1': floats('dropout[1]', dropout[1], [n, fc]),
    share: new ort.Tensor('float32', Float32Array.of(share), [1]),
    ...(head !== 'scr' && { labels: labelsOf(ort, labels, n, classes) }),
    ...(head !== 'classes' && { boxes: floats('boxes', boxes, [n, 4]) }),
  };
}

function labelsOf(ort: Ort, labels: Int32Array, n: number, classes: number): Tensor {
  const wrong = labels.find((label) => label < 0 || label >= classes);
  if (wrong !== undefined) {
    throw new VerydeepError('ENGINE_FAILED', `labels: expected 0 to ${classes - 1}, received ${wrong}`);
  }
  return new ort.Tensor('int64', BigInt64Array.from(sized('labels', labels, [n]), BigInt), [n]);
}

function sized<T extends { readonly length: number }>(
  name: string,
  data: T | undefined,
  shape: readonly number[],
): T {
  const count = shape.reduce((a, b) => a * b, 1);
  if (data?.length === count) return data;
  const received = data ? `${data.length}` : 'nothing';
  const message = `${name}: expected ${count} numbers for [${shape.join(', ')}], received ${received}`;
  throw new VerydeepError('ENGINE_FAILED', message);
}
