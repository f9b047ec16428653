import type { Preprocessing } from '../../network/preprocessing.ts';
import type { Tensor } from '../../network/weights.ts';

/** Feature map of one picture: `[channels, height, width]`, row-major. */
export interface FeatureMap {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

/** RGB pixels `[height, width, 3]` as the network sees them: (pixel x scale - mean) / std, channels in its order. */
export function prepare(
  pixels: Uint8Array,
  height: number,
  width: number,
  { channelOrder, scale, mean, std }: Preprocessing,
): FeatureMap {
  const area = height * width;
  const data = new Float32Array(3 * area);
  for (let c = 0; c < 3; c++) {
    const rgb = channelOrder === 'rgb' ? c : 2 - c;
    for (let i = 0; i < area; i++) data[c * area + i] = (pixels[3 * i + rgb]! * scale - mean[c]!) / std[c]!;
  }
  return { channels: 3, height, width, data };
}

/** The mirror image: columns in reverse. */
export function mirror({ channels, height, width, data }: FeatureMap): FeatureMap {
  const rows = channels * height;
  const mirrored = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let x = 0; x < width; x++) mirrored[row * width + x] = data[row * width + width - 1 - x]!;
  }
  return { channels, height, width, data: mirrored };
}

/**
 * Convolution of stride 1 by weights `[outputs, channels x kernel x kernel]`, zeros around the map, sums in float64.
 * A fully connected layer of the dense view is one without padding (paper, 3.2).
 */
export function convolve(
  input: FeatureMap,
  weight: Tensor,
  bias: Tensor,
  { kernel, padding }: { readonly kernel: number; readonly padding: number },
): FeatureMap {
  const channels = bias.data.length;
  const height = input.height + 2 * padding - kernel + 1;
  const width = input.width + 2 * padding - kernel + 1;
  const data = new Float32Array(channels * height * width);
  const sums = new Float64Array(height * width);
  for (let o = 0; o < channels; o++) {
    sums.fill(bias.data[o]!);
    for (let i = 0; i < input.channels; i++) {
      for (let ky = 0; ky < kernel; ky++) {
        for (let kx = 0; kx < kernel; kx++) {
          const w = weight.data[((o * input.channels + i) * kernel + ky) * kernel + kx]!;
          addShifted(sums, { height, width }, input, i, w, ky - padding, kx - padding);
        }
      }
    }
    data.set(sums, o * height * width);
  }
  return { channels, height, width, data };
}

export function relu(map: FeatureMap): FeatureMap {
  return { ...map, data: map.data.map((value) => Math.max(0, value)) };
}

/** 2x2 max-pool of stride 2; a last odd row or column is dropped. */
export function maxPool(input: FeatureMap): FeatureMap {
  const height = Math.floor(input.height / 2);
  const width = Math.floor(input.width / 2);
  const data = new Float32Array(input.channels * height * width);
  let at = 0;
  for (let c = 0; c < input.channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const i = (c * input.height + 2 * y) * input.width + 2 * x;
        const below = i + input.width;
        data[at++] = Math.max(input.data[i]!, input.data[i + 1]!, input.data[below]!, input.data[below + 1]!);
      }
    }
  }
  return { channels: input.channels, height, width, data };
}

/** Mean of each channel over space: the paper's sum-pooling of the score map (3.2). */
export function sumPool({ channels, height, width, data }: FeatureMap): number[] {
  const area = height * width;
  return Array.from({ length: channels }, (_, c) => {
    let sum = 0;
    for (let i = 0; i < area; i++) sum += data[c * area + i]!;
    return sum / area;
  });
}

export function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

// --- helpers ---

/** sums[y, x] += w x input[channel, y + dy, x + dx], for the positions that lie in the input. */
function addShifted(
  sums: Float64Array,
  size: { readonly height: number; readonly width: number },
  input: FeatureMap,
  channel: number,
  w: number,
  dy: number,
  dx: number,
): void {
  const [top, bottom] = [Math.max(0, -dy), Math.min(size.height, input.height - dy)];
  const [left, right] = [Math.max(0, -dx), Math.min(size.width, input.width - dx)];
  for (let y = top; y < bottom; y++) {
    const from = (channel * input.height + y + dy) * input.width + dx;
    const to = y * size.width;
    for (let x = left; x < right; x++) sums[to + x]! += w * input.data[from + x]!;
  }
}
