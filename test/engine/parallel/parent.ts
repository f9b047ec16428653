/** A parent that a test kills: it starts two training workers and prints their process ids. */
import { readFixture } from '../reference-values.ts';
import { createTinyParallelStep } from './tiny.ts';

const { pids } = await createTinyParallelStep(await readFixture('d-tiny.training'), 2);
process.stdout.write(JSON.stringify(pids));
