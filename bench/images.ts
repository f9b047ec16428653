/**
 * `npm run bench:images`: time of header, decode and the pictures of three scales, beside a plain decode of the whole
 * file, in turns: medians in ms (docs/images.md).
 */
import sharp from 'sharp';
import { decodeAtScales } from '../src/image/decode.ts';
import { ownImageLimits } from '../src/image/limits.ts';
import { photograph } from './photographs.ts';
import { median } from './statistics.ts';

const rounds = 21;
const sizes = [
  [640, 480],
  [1600, 1200],
  [4000, 3000],
] as const;

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function compare(bytes: Buffer): Promise<string> {
  const atScales: number[] = [];
  const whole: number[] = [];
  for (let round = 0; round < rounds; round++) {
    atScales.push(await milliseconds(() => decodeAtScales(bytes, [128, 160, 192], ownImageLimits)));
    whole.push(await milliseconds(() => sharp(bytes).raw().toBuffer()));
  }
  return `${median(atScales).toFixed(0)} ms (full decode ${median(whole).toFixed(0)})`;
}

console.log('| | JPEG | PNG | WebP |');
console.log('|---|---|---|---|');
for (const [width, height] of sizes) {
  const jpeg = await photograph(width, height, 1);
  const files = [jpeg, await sharp(jpeg).png().toBuffer(), await sharp(jpeg).webp().toBuffer()];
  const cells: string[] = [];
  for (const file of files) cells.push(await compare(file));
  console.log(`| ${width} x ${height} | ${cells.join(' | ')} |`);
}
