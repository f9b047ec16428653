/**
 * Engines alone, in batches: `npm run bench:engine [-- --rounds 5] [--counts 1,2,4,8,16] [--sizes 224x224,256x341,384x512]`.
 * VGG-16 at full size with hashed weights, each engine and precision in a process of its own; they take turns at every
 * size and batch, so that a noisy machine disturbs all alike. Prints Markdown and JSON: milliseconds a picture, and how far
 * that rises above the batch of one (aim: at most 1.10).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { threadLimit } from '../../src/processes/threads.ts';
import { benchEnsemble, fullSize } from '../ensemble.ts';
import { median } from '../statistics.ts';
import type { Measured, Pass } from './side.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    counts: { type: 'string', default: '1,2,4,8,16' },
    sizes: { type: 'string', default: '224x224,256x341,384x512' },
  },
});
const rounds = Number(values.rounds);
const counts = values.counts.split(',').map(Number);
const sizes = values.sizes.split(',').map((size) => size.split('x').map(Number) as [number, number]);
const names = [
  ['onednn', 'fp32'],
  ['onednn', 'bf16'],
  ['onnx', 'fp32'],
] as const;
/** Threads of the side before may still spin. */
const pauseMs = 50;

interface Row {
  readonly engine: string;
  readonly size: string;
  /** Of each batch, in the order of `counts`. */
  readonly msPerPicture: number[];
  /** Of the larger batches against the first in the same round, the largest median. */
  readonly rise: number;
  readonly rssBytes: number;
}

await benchEnsemble('full', fullSize);
const loadBefore = loadavg()[0]!;
const sides = new Map<string, ChildProcess>();
for (const [engine, precision] of names) {
  const side = await start(engine, precision);
  if (side) sides.set(`${engine} ${precision}`, side);
}
const rows: Row[] = [];
for (const [height, width] of sizes) {
  const passes = counts.map((count): Pass => ({ count, height, width }));
  const measured = new Map([...sides.keys()].map((engine) => [engine, passes.map((): Measured[] => [])]));
  for (let round = -1; round < rounds; round++) {
    for (const [i, pass] of passes.entries()) {
      for (const [engine, side] of sides) {
        await pause(pauseMs);
        side.send(pass);
        const [answer] = (await once(side, 'message')) as [Measured];
        if (round >= 0) measured.get(engine)![i]!.push(answer); // the first round makes programs
      }
    }
  }
  for (const [engine, answers] of measured) rows.push(rowOf(engine, `${height}x${width}`, answers));
}
for (const side of sides.values()) side.disconnect();

const machine = `${cpus()[0]!.model}, ${threadLimit()} threads, Node ${process.versions.node}; load average ${loadBefore.toFixed(1)} before, ${loadavg()[0]!.toFixed(1)} after`;
console.log(`${machine}\n\n${markdown()}\n`);
console.log(JSON.stringify({ machine, counts, rows }));

/** Starts a side; `undefined` when its engine or precision is not there, which it says itself. */
async function start(engine: string, precision: string): Promise<ChildProcess | undefined> {
  const script = fileURLToPath(new URL('./side.ts', import.meta.url));
  const child = fork(script, [engine, precision], { execArgv: ['--import', 'tsx'] });
  const exited = once(child, 'exit').then(() => undefined);
  const ready = once(child, 'message').then(() => child);
  return Promise.race([ready, exited]);
}

function rowOf(engine: string, size: string, answers: readonly Measured[][]): Row {
  const perPicture = answers.map((runs, i) => runs.map(({ ms }) => ms / counts[i]!));
  const rises = perPicture.map((times) => median(times.map((time, round) => time / perPicture[0]![round]!)));
  return {
    engine,
    size,
    msPerPicture: perPicture.map(median),
    rise: Math.max(...rises.slice(1)),
    rssBytes: Math.max(...answers.flat().map(({ rssBytes }) => rssBytes)),
  };
}

function markdown(): string {
  const header = ['engine', 'size', ...counts.map(String), 'largest rise', 'memory'];
  const cells = rows.map(({ engine, size, msPerPicture, rise, rssBytes }) => [
    engine,
    size,
    ...msPerPicture.map((ms) => ms.toFixed(0)),
    rise.toFixed(2),
    `${Math.round(rssBytes / 1e6)} MB`,
  ]);
  return [header, header.map(() => '---'), ...cells].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
