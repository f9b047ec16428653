/**
 * `npm run verify:batches`: VGG-16 at full size with hashed weights, read from a file as a service reads them, on each engine
 * and in each precision that is there. The same picture has to give the same score maps alone and in batches, in fp32 on
 * every engine; oneDNN has to plan all of it without a slow implementation, and to hold its weights once while they are
 * loaded. Nothing depends on the clock. Exit code 1 when an error or the memory is over its limit.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engines } from '../src/engine/engines.ts';
import type { Precision } from '../src/engine/precision.ts';
import { isVerydeepError } from '../src/errors.ts';
import { writeSafetensors } from '../src/formats/safetensors/write.ts';
import { parameterCount } from '../src/network/measures.ts';
import { threadLimit } from '../src/processes/threads.ts';
import { planNetwork } from '../test/engine/onednn/planned-layers.ts';
import { referencePreprocessing } from '../test/engine/reference-values.ts';
import { hashedSources } from '../test/network/hashed.ts';
import { peakBytes, startPeak } from './peak-memory.ts';
import { differenceFrom, scoreMapsOf } from './reference/batches.ts';
import { referencePicture } from './reference/picture.ts';

const spec = { architecture: 'D', width: 1, fc: 4096, classes: 1000, crop: 224, head: 'classes' } as const;
/** Alone, the batches to compare with it, and the size. */
const pictures = [
  { height: 224, width: 224, counts: [2, 4] },
  { height: 256, width: 341, counts: [2] },
];
/** Absolute, of scores: rounding of the same sums in another order. */
const limits: Record<Precision, number> = { fp32: 1e-4, bf16: 1e-2 };
const measured = [
  ['onednn', 'fp32'],
  ['onednn', 'bf16'],
  ['onnx', 'fp32'],
] as const;
/** Weights once, and what a process takes for itself. */
const maxLoadedShare = 1.25;
const bytesPerWeight: Record<Precision, number> = { fp32: 4, bf16: 2 };

const folder = mkdtempSync(join(tmpdir(), 'verydeep-'));
const path = join(folder, 'd.safetensors');
/** Score maps of the first engine in fp32, by size: the others' must be the same. */
const expected = new Map<string, Float32Array>();
let failed = 0;
try {
  await writeSafetensors(path, hashedSources(spec, 1));
  for (const [engine, precision] of measured) {
    try {
      await verify(engine, precision);
    } catch (error) {
      if (!isVerydeepError(error, 'DEVICE_UNAVAILABLE')) throw error;
      console.log(`${engine} ${precision}: left out, ${error.message}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = failed === 0 ? 0 : 1;

async function verify(name: (typeof measured)[number][0], precision: Precision): Promise<void> {
  const placement = { device: 'cpu', threads: threadLimit(), sharedCores: true } as const;
  const engine = await engines.createEngine({ engine: name, precision, ...placement });
  const report = (what: string, value: number, limit: number): void => {
    if (!(value <= limit)) failed += 1;
    const verdict = value <= limit ? 'ok' : `OVER ${limit}`;
    console.log(
      `${name.padEnd(7)} ${precision} ${what.padEnd(50)} ${value.toPrecision(2).padEnd(8)} ${verdict}`,
    );
  };
  const before = startPeak();
  await engine.load({ id: 'd', spec, preprocessing: referencePreprocessing, weights: { path } });
  if (name === 'onednn') {
    const weights = parameterCount(spec) * bytesPerWeight[precision];
    report('memory at the peak of loading, of the weights', (peakBytes() - before) / weights, maxLoadedShare);
    const sizes = pictures.map(({ height, width }) => [height, width] as const);
    const { slow } = (await planNetwork(spec, sizes, precision))!;
    report(`slow implementations ${slow.slice(0, 3).join(', ')}`, slow.length, 0);
  }
  for (const { height, width, counts } of pictures) {
    const picture = { pixels: referencePicture(height, width, 1), height, width };
    const alone = await scoreMapsOf(engine, 'd', picture, 1);
    const size = `${height}x${width}`;
    if (precision === 'fp32') {
      const first = expected.get(size) ?? alone;
      expected.set(size, first);
      if (first !== alone)
        report(`${size} against ${measured[0][0]}`, differenceFrom(first, alone), limits.fp32);
    }
    for (const count of counts) {
      const batch = await scoreMapsOf(engine, 'd', picture, count);
      report(`${size}, ${count} at once against one`, differenceFrom(alone, batch), limits[precision]);
    }
  }
  await engine.dispose();
}
