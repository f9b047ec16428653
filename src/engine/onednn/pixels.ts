import type { Preprocessing } from '../../network/preprocessing.ts';

/** Where prepared pixels go: channels red, green, blue, as planes (`rowMajor`) or interleaved. */
export interface PreparedPixels {
  readonly layout: 'rowMajor' | 'channelsLast';
  /** Float32Array of f32, or the bit patterns of bf16. */
  readonly data: Float32Array | Uint16Array;
}

const channels = 3;
const levels = 256;

/**
 * Prepares uint8 pixels `[count, side, 3]` (`side` pixels a picture): (pixel + shift) x scale - mean) / std of each channel,
 * through one table of 256 levels a picture and channel. `shift` `[count, 3]` is the colour shift, none where not given.
 */
export function preparePixels(
  pixels: Uint8Array,
  count: number,
  preprocessing: Preprocessing,
  { layout, data }: PreparedPixels,
  shift?: Float32Array,
): void {
  const size = pixels.length / count / channels;
  const tables = Array.from({ length: channels }, () =>
    data instanceof Float32Array ? new Float32Array(levels) : new Uint16Array(levels),
  ) as [Float32Array, Float32Array, Float32Array];
  const [red, green, blue] = tables;
  const [plane, step] = layout === 'rowMajor' ? [size, 1] : [1, channels];
  for (let n = 0; n < count; n++) {
    if (n === 0 || shift) {
      tables.forEach((table, c) => {
        fillTable(table, preprocessing, c, shift?.[n * channels + c] ?? 0);
      });
    }
    let from = n * size * channels;
    let to = from;
    for (let i = 0; i < size; i++) {
      data[to] = red[pixels[from]!]!;
      data[to + plane] = green[pixels[from + 1]!]!;
      data[to + 2 * plane] = blue[pixels[from + 2]!]!;
      from += channels;
      to += step;
    }
  }
}

// --- helpers ---

/** `channel` counts red, green, blue; the pre-processing may count the other way. */
function fillTable(
  table: Float32Array | Uint16Array,
  { channelOrder, scale, mean, std }: Preprocessing,
  channel: number,
  shift: number,
): void {
  const own = channelOrder === 'rgb' ? channel : channels - 1 - channel;
  const values = Float32Array.from(
    { length: levels },
    (_, level) => ((level + shift) * scale - mean[own]!) / std[own]!,
  );
  table.set(table instanceof Float32Array ? values : bfloat16(values));
}

/** Bit patterns of bf16, rounded to nearest, ties to even. */
function bfloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(
    new Uint32Array(values.buffer),
    (bits) => (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16,
  );
}
