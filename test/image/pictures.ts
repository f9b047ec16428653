import sharp, { type Sharp } from 'sharp';
import type { Picture } from '../../src/image/picture.ts';
import { createRandom } from '../../src/network/random.ts';

export const limits = { maxFileBytes: 20e6, maxPixels: 50e6 };

/** Smooth colours, a bright disc and some noise: edges and texture as photographs have them. */
export function drawPicture(width: number, height: number, seed = 1): Picture {
  const random = createRandom(seed);
  const pixels = new Uint8ClampedArray(width * height * 3);
  const radius = Math.min(width, height) / 3;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = Math.hypot(x - width * 0.4, y - height * 0.6) < radius;
      const noise = random.integer(17) - 8;
      const red = inside ? 220 : 30 + (150 * x) / width;
      const green = inside ? 180 : 60 + (120 * y) / height;
      const blue = inside ? 60 : 200 - (140 * x) / width;
      pixels.set([red + noise, green + noise, blue + noise], (y * width + x) * 3);
    }
  }
  return { width, height, pixels: new Uint8Array(pixels.buffer) };
}

/** A progressive JPEG whose last scan comes so many times more: each is a pass over all of it. */
export function withScans(progressive: Buffer, more: number): Buffer {
  const scan = progressive.subarray(progressive.lastIndexOf(Buffer.from([0xff, 0xda])), -2);
  const scans = Array.from({ length: more }, () => scan);
  return Buffer.concat([progressive.subarray(0, -2), ...scans, progressive.subarray(-2)]);
}

/** For sharp's encoders. */
export function encoder({ width, height, pixels }: Picture): Sharp {
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** Mean and largest absolute difference of two sets of pixels. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): { mean: number; max: number } {
  if (a.length !== b.length) throw new Error(`${a.length} values beside ${b.length}`);
  let [sum, max] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const distance = Math.abs(a[i]! - b[i]!);
    sum += distance;
    max = Math.max(max, distance);
  }
  return { mean: sum / a.length, max };
}

/** The filter that `rescale` documents, word by word, in floating point: the oracle. */
export function triangleFilter(picture: Picture, width: number, height: number): Float64Array {
  const columns = taps(picture.width, width);
  const rows = taps(picture.height, height);
  const stride = width * 3;
  const narrowed = new Float64Array(picture.height * stride);
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < width; x++) {
      for (const [column, weight] of columns[x]!) {
        for (let c = 0; c < 3; c++) {
          narrowed[y * stride + x * 3 + c]! += weight * picture.pixels[(y * picture.width + column) * 3 + c]!;
        }
      }
    }
  }
  const result = new Float64Array(height * stride);
  for (let y = 0; y < height; y++) {
    for (const [row, weight] of rows[y]!) {
      for (let i = 0; i < stride; i++) result[y * stride + i]! += weight * narrowed[row * stride + i]!;
    }
  }
  return result;
}

function taps(from: number, to: number): [index: number, weight: number][][] {
  const ratio = from / to;
  const radius = Math.max(1, ratio);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * ratio - 0.5;
    const all: [number, number][] = [];
    for (let j = Math.floor(centre - radius) + 1; j < centre + radius; j++) {
      all.push([Math.min(Math.max(j, 0), from - 1), 1 - Math.abs(j - centre) / radius]);
    }
    const total = all.reduce((sum, [, weight]) => sum + weight, 0);
    return all.map(([index, weight]) => [index, weight / total]);
  });
}

/** The picture as a mirror beside it shows it: left and right exchanged. */
export function mirror({ width, height, pixels }: Picture): Picture {
  const mirrored = new Uint8Array(pixels.length);
  for (let row = 0; row < height; row++) {
    for (let x = 0; x < width; x++) {
      const from = (row * width + x) * 3;
      const to = (row * width + width - 1 - x) * 3;
      mirrored[to] = pixels[from]!;
      mirrored[to + 1] = pixels[from + 1]!;
      mirrored[to + 2] = pixels[from + 2]!;
    }
  }
  return { width, height, pixels: mirrored };
}
