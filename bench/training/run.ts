/**
 * The training step's images/s and memory (docs/performance.md): `npm run bench:training`; with `-- --peers` against
 * PyTorch's, in turns. oneDNN only, Linux only (memory).
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../statistics.ts';
import { type Side, startSide } from './side.ts';
import type { Training } from './turn.ts';

const { values } = parseArgs({
  options: {
    /** Compare with PyTorch, eager and compiled. */
    peers: { type: 'boolean', default: false },
    /** Interpreter that has PyTorch. */
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '5' },
    /** Only rows whose name contains this. */
    only: { type: 'string', default: '' },
  },
});
/** Least time of one turn. */
const turnMs = 1500;
const threads = Math.min(2, availableParallelism());

const small = { architecture: 'D', crop: 128, classes: 101, head: 'classes' } as const;
const full = { crop: 224, width: 1, fc: 4096, classes: 1000, head: 'classes' } as const;
const nets: readonly Pick<Training, 'spec' | 'batch'>[] = [
  { spec: { ...small, width: 1 / 8, fc: 256 }, batch: 32 },
  { spec: { ...small, width: 1 / 4, fc: 512 }, batch: 32 },
  { spec: { ...full, architecture: 'D' }, batch: 4 },
  { spec: { ...full, architecture: 'D' }, batch: 8 },
  { spec: { ...full, architecture: 'E' }, batch: 4 },
];
const trainings: Training[] = nets.flatMap((net) => [
  { ...net, precision: 'fp32' as const },
  { ...net, precision: 'bf16' as const },
]);

if (values.peers) {
  const found = spawnSync(values.python, ['-c', 'import torch; print(torch.__version__)'], {
    encoding: 'utf8',
  });
  if (found.status !== 0) {
    console.error(
      `expected PyTorch in ${values.python}, found none: "pip install torch==2.13.0 --index-url ` +
        'https://download.pytorch.org/whl/cpu" (torch.compile needs gcc), or name another interpreter with --python PATH',
    );
    process.exit(1);
  }
  console.log(`PyTorch ${found.stdout.trim()}, ${threads} threads\n`);
  console.log(
    '| step | images/s | PyTorch eager | PyTorch compiled | ratio to the better | peak MB | PyTorch |',
  );
  console.log('|---|---|---|---|---|---|---|');
} else {
  console.log('| step | images/s | peak MB |\n|---|---|---|');
}
for (const training of trainings) {
  const { architecture, width, crop } = training.spec;
  const name = `${architecture} at width ${width}, crop ${crop}, batch ${training.batch}, ${training.precision}`;
  if (!name.includes(values.only)) continue;
  console.log(`| ${[name, ...(await measure(training))].join(' | ')} |`);
}

/** Cells of a row. The sides take turns, so that a noisy machine disturbs all alike. */
async function measure(training: Training): Promise<string[]> {
  const sides = [startOurs(training)];
  if (values.peers) sides.push(startPeer(training, false), startPeer(training, true));
  const speeds: number[][] = sides.map(() => []);
  try {
    for (const side of sides) await side.turn(0); // compiled, and all in memory, before anything counts
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [i, side] of sides.entries()) speeds[i]!.push(await side.turn(turnMs));
    }
    const megabytes = sides.map((side) => (side.peakBytes() / 1e6).toFixed(0));
    const medians = speeds.map(median);
    const shown = medians.map((speed) => speed.toPrecision(3));
    if (!values.peers) return [shown[0]!, megabytes[0]!];
    const better = medians[1]! > medians[2]! ? 1 : 2;
    const ratio = median(speeds[0]!.map((speed, i) => speed / speeds[better]![i]!));
    return [...shown, ratio.toFixed(2), megabytes[0]!, megabytes[better]!];
  } finally {
    for (const side of sides) side.stop();
  }
}

function startOurs(training: Training): Side {
  const script = fileURLToPath(new URL('./step.ts', import.meta.url));
  return startSide(process.execPath, ['--import', 'tsx', script, JSON.stringify({ ...training, threads })]);
}

function startPeer(training: Training, compile: boolean): Side {
  const script = fileURLToPath(new URL('./peer.py', import.meta.url));
  return startSide(values.python, [script, JSON.stringify({ ...training, threads, compile })]);
}
