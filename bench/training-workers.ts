/**
 * What dividing a training over processes costs (docs/performance.md): images/s of bare steps of one process with one and
 * with two threads, and of two workers with one thread each, in turns: `npm run bench:workers`. Needs two cores.
 */
import { parseArgs } from 'node:util';
import { createTrainingStep, type TrainingEngineName } from '../src/engine/create-training-step.ts';
import { createParallelTrainingStep } from '../src/engine/parallel/training-step.ts';
import type { TrainingBatch, TrainingStep, TrainingStepOptions } from '../src/engine/training-step.ts';
import type { NetworkSpec } from '../src/network/architecture.ts';
import { initialWeights } from '../src/network/initialisers.ts';
import { createRandom } from '../src/network/random.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    /** Only rows whose name contains this. */
    only: { type: 'string', default: '' },
  },
});
/** Time of one turn. */
const turnMs = 1500;

const small = { architecture: 'D', crop: 128, classes: 101, head: 'classes' } as const;
const rows: readonly {
  readonly engine: TrainingEngineName;
  readonly precision: 'fp32' | 'bf16';
  readonly spec: NetworkSpec;
  readonly batch: number;
}[] = [
  { engine: 'onednn', precision: 'bf16', spec: { ...small, width: 1 / 8, fc: 256 }, batch: 32 },
  { engine: 'onednn', precision: 'fp32', spec: { ...small, width: 1 / 8, fc: 256 }, batch: 32 },
  { engine: 'onednn', precision: 'bf16', spec: { ...small, width: 1 / 4, fc: 512 }, batch: 32 },
  { engine: 'onnx', precision: 'fp32', spec: { ...small, width: 1 / 8, fc: 256 }, batch: 32 },
];

console.log('| step | 1 thread | 2 threads | 2 workers of 1 thread | workers / 2 threads |');
console.log('|---|---|---|---|---|');
for (const { engine, precision, spec, batch } of rows) {
  const name = `${engine} ${precision}, D at width ${spec.width}, batch ${batch}`;
  if (!name.includes(values.only)) continue;
  const options: TrainingStepOptions = {
    spec,
    weights: initialWeights(spec, 'he', createRandom(1)),
    preprocessing: { channelOrder: 'rgb', scale: 1, mean: [124, 117, 104], std: [60, 60, 60] },
    microBatch: batch,
    momentum: 0.9,
    weightDecay: 5e-4,
    trainable: 'all',
    precision,
    threads: 2,
  };
  const steps = [
    await createTrainingStep(engine, { ...options, threads: 1 }),
    await createTrainingStep(engine, options),
    await createParallelTrainingStep(options, { engine, workers: 2 }),
  ];
  const pictures = noise(spec, batch);
  for (const step of steps) await run(step, pictures); // all is in memory before anything counts
  const speeds: number[][] = steps.map(() => []);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [i, step] of steps.entries()) speeds[i]!.push(await imagesPerSecond(step, pictures));
  }
  for (const step of steps) step.dispose();
  const ratio = median(speeds[2]!.map((speed, i) => speed / speeds[1]![i]!));
  const cells = [name, ...speeds.map((list) => median(list).toFixed(0)), ratio.toFixed(2)];
  console.log(`| ${cells.join(' | ')} |`);
}

async function run(step: TrainingStep, batch: TrainingBatch): Promise<void> {
  await step.accumulate(batch, 1);
  await step.update(1e-4);
}

async function imagesPerSecond(step: TrainingStep, batch: TrainingBatch): Promise<number> {
  const start = performance.now();
  let images = 0;
  while (performance.now() - start < turnMs) {
    await run(step, batch);
    images += batch.labels.length;
  }
  return (1000 * images) / (performance.now() - start);
}

function noise({ crop, fc, classes }: NetworkSpec, count: number): TrainingBatch {
  const random = createRandom(2);
  const mask = (): Float32Array => Float32Array.from({ length: count * fc }, () => 2 * random.integer(2));
  return {
    pixels: Uint8Array.from({ length: count * crop * crop * 3 }, () => random.integer(256)),
    colourShift: new Float32Array(count * 3),
    labels: Int32Array.from({ length: count }, () => random.integer(classes)),
    dropout: [mask(), mask()],
  };
}
