import type { Tensor } from '../../network/weights.ts';

/**
 * Weights `[out, 3, kernel, kernel]` of a first convolution with its first and last input channel exchanged: pixels
 * always come red first, so weights that count blue first are turned round once instead of every picture.
 */
export function exchangeRedAndBlue({ shape, data }: Tensor): Tensor {
  const plane = shape[2]! * shape[3]!;
  const exchanged = data.slice();
  for (let start = 0; start < data.length; start += 3 * plane) {
    exchanged.set(data.subarray(start + 2 * plane, start + 3 * plane), start);
    exchanged.set(data.subarray(start, start + plane), start + 2 * plane);
  }
  return { shape, data: exchanged };
}
