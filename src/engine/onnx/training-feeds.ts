import type { Tensor } from 'onnxruntime-node';
import type { TrainingBatch, TrainingStepOptions } from '../training-step.ts';
import type { Ort } from './runtime.ts';

/** A micro-batch, checked, as inputs of the training graph. */
export function feedsOf(
  ort: Ort,
  { spec, microBatch: n }: Pick<TrainingStepOptions, 'spec' | 'microBatch'>,
  { pixels, colourShift, labels, boxes, dropout }: TrainingBatch,
  share: number,
): Record<string, Tensor> {
  const { crop, fc, head } = spec;
  const floats = (data: Float32Array, shape: readonly number[]): Tensor =>
    new ort.Tensor('float32', data, shape);
  return {
    pixels: new ort.Tensor('uint8', pixels, [n, crop, crop, 3]),
    colourShift: floats(colourShift, [n, 3, 1, 1]),
    'dropout.0': floats(dropout[0], [n, fc]),
    'dropout.1': floats(dropout[1], [n, fc]),
    share: floats(Float32Array.of(share), [1]),
    ...(head !== 'scr' && { labels: new ort.Tensor('int64', BigInt64Array.from(labels, BigInt), [n]) }),
    ...(head !== 'classes' && { boxes: floats(boxes!, [n, 4]) }),
  };
}
