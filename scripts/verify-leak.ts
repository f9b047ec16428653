/**
 * Memory that does not come back:
 *
 *     npm run verify:leak -- networks [N]              N networks made in oneDNN, updated once and dropped
 *     npm run verify:leak -- shapes [RUNS] [SHAPES]    pictures of many sizes, on each engine
 *
 * Prints resident memory on the way; exit code 1 when it grows by more than is allowed.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { networksLeaveNothing } from './leak/networks.ts';

const measured = [
  ['onednn', 'fp32'],
  ['onednn', 'bf16'],
  ['onnx', 'fp32'],
] as const;

const [what, ...counts] = process.argv.slice(2);
if (what === 'networks') {
  process.exitCode = (await networksLeaveNothing(Number(counts[0] ?? 1000))) ? 0 : 1;
} else if (what === 'shapes') {
  const [runs = '5000', shapes = '1000'] = counts;
  const script = fileURLToPath(new URL('./leak/shapes.ts', import.meta.url));
  for (const row of measured) {
    const args = ['--import', 'tsx', script, ...row, runs, shapes];
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  }
} else {
  console.error('usage: npm run verify:leak -- networks [N] | shapes [RUNS] [SHAPES]');
  process.exitCode = 2;
}
