/** An evaluation that is killed as soon as its first results are there. Arguments: the root of the fixtures, and --out. */
import { runEvaluation } from '../../src/evaluation/run.ts';
import { tinyJob } from './tiny.ts';

const [root, out] = process.argv.slice(2) as [string, string];
await runEvaluation(
  tinyJob(root, { out, localise: true, onProgress: () => process.kill(process.pid, 'SIGKILL') }),
);
