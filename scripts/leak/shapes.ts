/**
 * `shapes.ts ENGINE PRECISION RUNS SHAPES`: runs pictures of so many different sizes through the demo's network, one at a
 * time, in an order of chance. Prints resident memory ten times on the way; after the first fifth it must grow by less
 * than 100 MB.
 */
import { type EngineName, engines } from '../../src/engine/engines.ts';
import type { Precision } from '../../src/engine/precision.ts';
import { isVerydeepError } from '../../src/errors.ts';
import { residentBytes } from '../../test/engine/onednn/resident-bytes.ts';
import { referencePreprocessing } from '../../test/engine/reference-values.ts';
import { hashedNumber, hashedWeights } from '../../test/network/hashed.ts';

const spec = { architecture: 'D', width: 1 / 4, fc: 512, classes: 101, crop: 128, head: 'classes' } as const;
/** Sides are this much longer than the crop at most. */
const maxLonger = 128;
const allowedBytes = 100e6;

const [engine, precision, runs, shapes] = process.argv.slice(2) as [EngineName, Precision, string, string];
try {
  await measure(Number(runs), Number(shapes));
} catch (error) {
  if (!isVerydeepError(error, 'DEVICE_UNAVAILABLE')) throw error;
  console.log(`${engine} ${precision}: left out, ${error.message}`);
}

async function measure(runs: number, shapes: number): Promise<void> {
  const placement = { device: 'cpu', threads: 1, sharedCores: true } as const;
  const network = await engines.createEngine({ engine, precision, ...placement });
  await network.load({
    id: 'd',
    spec,
    weights: hashedWeights(spec, 1),
    preprocessing: referencePreprocessing,
  });
  const chance = (index: number, below: number): number =>
    Math.floor(((hashedNumber(index, 7) + 1) / 2) * below);
  const side = (index: number): number => spec.crop + chance(index, maxLonger);
  let before = 0;
  for (let run = 0; run < runs; run++) {
    const shape = chance(run, shapes);
    const [height, width] = [side(2 * shape), side(2 * shape + 1)];
    const pixels = new Uint8Array(height * width * 3);
    await network.run({ networks: ['d'], pixels, count: 1, height, width, flip: false, maps: false });
    if ((run + 1) % (runs / 10) !== 0) continue;
    const bytes = residentBytes();
    if (run + 1 <= runs / 5) before = bytes;
    console.log(`${engine} ${precision}, ${run + 1} runs: ${(bytes / 1e6).toFixed(0)} MB`);
  }
  const grown = residentBytes() - before;
  const isWithin = grown < allowedBytes;
  console.log(`${isWithin ? 'ok' : 'TOO MUCH'}: ${(grown / 1e6).toFixed(0)} MB more`);
  if (!isWithin) process.exitCode = 1;
  await network.dispose();
}
