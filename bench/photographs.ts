import sharp from 'sharp';
import { createRandom } from '../src/network/random.ts';

/**
 * A JPEG with the spectrum of a photograph: noise at every octave, stronger where it is coarser. Its cost to decode is
 * that of a real picture of the size; a flat one would be too cheap.
 */
export async function photograph(width: number, height: number, seed: number): Promise<Buffer> {
  const random = createRandom(seed);
  const sum = new Float32Array(width * height * 3);
  for (let cells = 2; cells < Math.max(width, height); cells *= 2) {
    const noise = Buffer.from(Uint8Array.from({ length: cells * cells * 3 }, () => random.integer(256)));
    const octave = await sharp(noise, { raw: { width: cells, height: cells, channels: 3 } })
      .resize(width, height, { fit: 'fill', kernel: 'cubic' })
      .raw()
      .toBuffer();
    for (let i = 0; i < sum.length; i++) sum[i]! += (octave[i]! - 127.5) / cells;
  }
  const pixels = Buffer.from(Uint8ClampedArray.from(sum, (value) => 127.5 + 3 * value));
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();
}
