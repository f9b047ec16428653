/** verydeep's side of run.ts: answers each line on stdin, a turn's milliseconds, with its images a second. */
import { createInterface } from 'node:readline';
import { createOnednnTrainingStep } from '../../src/engine/onednn/training-step.ts';
import { imagesPerSecond, noise, stepOptions, type Training } from './turn.ts';

const { threads, ...training }: Training & { threads: number } = JSON.parse(process.argv[2]!);
const step = await createOnednnTrainingStep(stepOptions(training, threads));
const pictures = noise(training);
for await (const line of createInterface({ input: process.stdin })) {
  console.log(await imagesPerSecond(step, pictures, Number(line)));
}
await step.dispose();
