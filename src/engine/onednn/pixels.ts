import type { Preprocessing } from '../../network/preprocessing.ts';
import type { DataType } from './library/constants.ts';
import type { Numbers } from './primitives/scope.ts';

/** RGB pictures of one size, `[count, height, width, 3]`. */
export interface Pictures {
  readonly pixels: Uint8Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

/** Where a picture comes from and how it is varied on the way. */
export interface Variation {
  /** Index among the pictures. */
  readonly from: number;
  /** Index among the prepared ones, `[.., height, width, 3]`, red, green, blue. */
  readonly to: number;
  readonly mirror: boolean;
  /** Height and width of the prepared ones if these are larger than the picture, which is filled up with zeros. */
  readonly into?: { readonly height: number; readonly width: number };
  /** Added to each channel of the pixels, red, green, blue. */
  readonly shift?: ArrayLike<number>;
}

const channels = 3;
const levels = 256;

/** Prepares pictures for the network, one at a time: ((pixel + shift) x scale - mean) / std, of each channel. */
export interface Preparation {
  prepare(pictures: Pictures, target: Numbers, variation: Variation): void;
}

export function createPreparation(preprocessing: Preprocessing, type: DataType): Preparation {
  // A channel of a picture has 256 levels at most: a table of them is cheaper than arithmetic on every pixel.
  const table = (): Numbers => (type === 'f32' ? new Float32Array(levels) : new Uint16Array(levels));
  const red = table();
  const green = table();
  const blue = table();
  const values = new Float32Array(levels);
  const bits = new Uint32Array(values.buffer);
  let filledFor = '';

  const fill = (shift: readonly number[]): void => {
    if (filledFor === shift.join()) return;
    filledFor = shift.join();
    const { channelOrder, scale, mean, std } = preprocessing;
    [red, green, blue].forEach((table, i) => {
      const c = channelOrder === 'rgb' ? i : channels - 1 - i;
      for (let level = 0; level < levels; level++) {
        values[level] = ((level + shift[i]!) * scale - mean[c]!) / std[c]!;
      }
      if (type === 'f32') table.set(values);
      else toBfloat16(bits, table);
    });
  };

  return {
    prepare({ pixels, height, width }, data, { from, to, mirror, shift, into = { height, width } }) {
      fill(shift ? Array.from(shift) : [0, 0, 0]);
      const size = height * width;
      const step = mirror ? -channels : channels;
      const line = into.width * channels;
      let target = to * into.height * line;
      for (let y = 0; y < height; y++) {
        let source = (from * size + y * width + (mirror ? width - 1 : 0)) * channels;
        for (let x = 0; x < width; x++) {
          data[target] = red[pixels[source]!]!;
          data[target + 1] = green[pixels[source + 1]!]!;
          data[target + 2] = blue[pixels[source + 2]!]!;
          source += step;
          target += channels;
        }
        data.fill(0, target, target + (into.width - width) * channels);
        target += (into.width - width) * channels;
      }
      data.fill(0, target, target + (into.height - height) * line);
    },
  };
}

// --- helpers ---

/** From bit patterns of float32 to those of bf16, rounded to nearest, ties to even. */
function toBfloat16(bits: Uint32Array, target: Numbers): void {
  for (let i = 0; i < bits.length; i++) {
    const float = bits[i]!;
    target[i] = (float + 0x7fff + ((float >>> 16) & 1)) >>> 16;
  }
}
