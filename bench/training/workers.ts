/**
 * What dividing a training over processes costs (docs/performance.md): images/s of bare steps of one process with one and
 * with two threads, and of two workers with one thread each, in turns: `npm run bench:workers`. Needs two cores.
 */
import { parseArgs } from 'node:util';
import { type EngineName, engines } from '../../src/engine/engines.ts';
import { createParallelTrainingStep } from '../../src/engine/parallel/training-step.ts';
import { median } from '../statistics.ts';
import { imagesPerSecond, noise, stepOptions, type Training } from './turn.ts';

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
const rows: readonly (Training & { readonly engine: EngineName })[] = [
  { engine: 'onednn', precision: 'bf16', spec: { ...small, width: 1 / 8, fc: 256 }, batch: 32 },
  { engine: 'onednn', precision: 'fp32', spec: { ...small, width: 1 / 8, fc: 256 }, batch: 32 },
  { engine: 'onednn', precision: 'bf16', spec: { ...small, width: 1 / 4, fc: 512 }, batch: 32 },
  { engine: 'onnx', precision: 'fp32', spec: { ...small, width: 1 / 8, fc: 256 }, batch: 32 },
];

console.log('| step | 1 thread | 2 threads | 2 workers of 1 thread | workers / 2 threads |');
console.log('|---|---|---|---|---|');
for (const { engine, ...training } of rows) {
  const { spec, batch, precision } = training;
  const name = `${engine} ${precision}, D at width ${spec.width}, batch ${batch}`;
  if (!name.includes(values.only)) continue;
  const options = stepOptions(training, 2);
  const steps = [
    await engines.createTrainingStep(engine, { ...options, threads: 1 }),
    await engines.createTrainingStep(engine, options),
    await createParallelTrainingStep(options, { engine, workers: 2 }),
  ];
  const pictures = noise(training);
  for (const step of steps) await imagesPerSecond(step, pictures, 0); // all is in memory before anything counts
  const speeds: number[][] = steps.map(() => []);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [i, step] of steps.entries()) speeds[i]!.push(await imagesPerSecond(step, pictures, turnMs));
  }
  for (const step of steps) await step.dispose();
  const ratio = median(speeds[2]!.map((speed, i) => speed / speeds[1]![i]!));
  const cells = [name, ...speeds.map((list) => median(list).toFixed(0)), ratio.toFixed(2)];
  console.log(`| ${cells.join(' | ')} |`);
}
