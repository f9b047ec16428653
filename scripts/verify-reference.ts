/**
 * Compares the engines with reference values that were computed apart from this code base:
 *
 *     npm run verify:reference -- FOLDER [--engine onnx] [--small]
 *
 * FOLDER holds index.json and the files that it lists. Without `--engine` all engines that are there take part;
 * `--small` leaves out the networks at full size. Prints a table; exit code 1 where an error is over its limit.
 */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type EngineName, engines } from '../src/engine/engines.ts';
import { isVerydeepError } from '../src/errors.ts';
import type { ArchitectureName, Head, NetworkSpec } from '../src/network/architecture.ts';
import { verifyBoxMap, verifyForward } from './reference/forward.ts';
import {
  fullSizeNetworks,
  readFullSize,
  verifyFullSizeGradient,
  verifyFullSizeScores,
} from './reference/full-size.ts';
import type { Row } from './reference/rows.ts';
import { type TrainingVerification, verifyBoxTraining, verifyTraining } from './reference/training.ts';

/** All small networks of a folder: crop 64, fc 32, 10 classes. */
const small = { fc: 32, classes: 10, crop: 64 } as const;

interface IndexEntry {
  readonly arch: ArchitectureName;
  readonly width: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { engine: { type: 'string' }, small: { type: 'boolean', default: false } },
});
const [folder] = positionals;
if (!folder) {
  console.error(`usage: npm run verify:reference -- FOLDER [--engine ${engines.names.join('|')}] [--small]`);
  process.exit(2);
}
const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as {
  seed: number;
  cases: Record<string, IndexEntry>;
};
const threads = availableParallelism();
const rows: Row[] = [];

for (const engine of engines.names) {
  if (values.engine && values.engine !== engine) continue;
  try {
    await verifyEngine(engine);
  } catch (error) {
    const isAbsent = isVerydeepError(error, 'DEVICE_UNAVAILABLE');
    if (values.engine || !isAbsent) throw error;
    console.log(`${engine}: left out, ${error.message}`);
  }
}
const failed = rows.filter(({ error, limit }) => !(error <= limit));
console.log(`${rows.length - failed.length} within their limits, ${failed.length} over`);
process.exitCode = rows.length === 0 || failed.length > 0 ? 1 : 0;

async function verifyEngine(name: EngineName): Promise<void> {
  const engine = await engines.createEngine({
    engine: name,
    device: 'cpu',
    threads,
    sharedCores: false,
    precision: 'fp32',
  });
  const training: TrainingVerification | undefined = engines.choices.training.includes(name)
    ? { engine: name, create: (options) => engines.createTrainingStep(name, options), threads, report }
    : undefined;
  for (const [reference, { arch: architecture, width }] of Object.entries(index.cases)) {
    const head = (/-(scr|pcr)$/.exec(reference)?.[1] ?? 'classes') as Head;
    const spec: NetworkSpec = { ...small, architecture, width, head };
    const stream = index.seed * 10_000;
    if (head !== 'classes') {
      await verifyBoxMap(engine, folder!, reference, spec, report);
      if (training) await verifyBoxTraining(training, folder!, reference, spec, stream + 5000);
    } else if (reference.endsWith('.training')) {
      const net = reference.replace(/\.training$/, '');
      const offset = 'ABCDE'.indexOf(architecture) * 100;
      if (training) await verifyTraining(training, folder!, net, spec, stream + offset);
    } else {
      await verifyForward(engine, folder!, reference, spec, report);
    }
  }
  // The reference engine is made to be read: at full size it would take minutes.
  if (!values.small && name !== 'reference') {
    const file = await readFullSize(folder!);
    for (const network of Object.keys(fullSizeNetworks)) {
      await verifyFullSizeScores(engine, file, index.seed, network, report);
      if (training) await verifyFullSizeGradient(training, file, index.seed, network);
    }
  }
  await engine.dispose();
}

function report(row: Row): void {
  rows.push(row);
  const { engine, reference, what, error, limit } = row;
  const verdict = error <= limit ? 'ok' : `OVER ${limit}`;
  console.log(
    `${engine.padEnd(10)}${reference.padEnd(20)}${what.padEnd(52)}${error.toExponential(1).padEnd(10)}${verdict}`,
  );
}
