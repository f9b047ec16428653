/**
 * `npm run verify:kill -- N`: N times, the built `verydeep train` on a drawn data set is killed (SIGKILL) at a random moment,
 * every second time inside the writing of a checkpoint, and resumed. Each run must end in the digest of the run that nobody
 * killed. With root on Linux a run on a small tmpfs, which fills up, is tried as well.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRandom } from '../src/network/random.ts';
import { digestIn, trainUntil, unfinishedIn } from '../test/training/killed-training.ts';
import { writeColourDataset } from '../test/training/pictures.ts';

const kills = Number(process.argv[2] ?? 50);
/** A run is killed so often before it may end. */
const killsPerRun = 5;
setPriority(constants.priority.PRIORITY_LOW);

const folder = mkdtempSync(join(tmpdir(), 'verydeep-'));
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
writeColourDataset(join(folder, 'data'));
/** Six epochs of four steps; a checkpoint has 1.8 MB. */
const program = [
  ...[
    main,
    'train',
    '--data',
    join(folder, 'data'),
    '--architecture',
    'A',
    '--width',
    '0.125',
    '--fc',
    '256',
  ],
  ...['--crop', '32', '--scale', '32-36', '--batch', '6', '--epochs', '6', '--initialise', 'he'],
  ...['--engine', 'onnx', '--threads', '1'],
];
const random = createRandom([1, 2, 3, Date.now()]);
const count = { kills: 0, insideWriting: 0, beforeFirst: 0, runs: 0, wrong: 0 };

/** Answers at which change of the folder to kill. */
function drawMoment(insideWriting: boolean): (file: string) => boolean {
  let left = 1 + random.integer(insideWriting ? 12 : 30);
  return (file) => (!insideWriting || file.endsWith('.tmp')) && --left === 0;
}

try {
  await trainUntil(program, join(folder, 'whole'));
  const expected = await digestIn(join(folder, 'whole'));
  while (count.kills < kills) {
    const out = join(folder, `run${count.runs++}`);
    let known = false;
    for (let k = 0; k < killsPerRun && count.kills < kills; k++) {
      if ((await trainUntil(program, out, drawMoment(k % 2 === 1))) === 'done') break;
      count.kills += 1;
      if (unfinishedIn(out).length > 0) count.insideWriting += 1;
      const isThere = (await digestIn(out)) !== undefined; // throws where it is not whole
      if (known && !isThere) throw new Error(`${out}: the checkpoint is gone`);
      if (!isThere) count.beforeFirst += 1;
      known = isThere;
    }
    await trainUntil(program, out);
    const digest = await digestIn(out);
    if (digest !== expected || unfinishedIn(out).length > 0) {
      count.wrong += 1;
      console.error(`run ${count.runs}: expected ${expected}, received ${digest}; ${unfinishedIn(out)}`);
    }
    rmSync(out, { recursive: true });
  }
  console.log(
    `${count.kills} kills in ${count.runs} runs, ${count.insideWriting} inside the writing of a file, ` +
      `${count.beforeFirst} before the first checkpoint; ${count.wrong} runs ended in another digest`,
  );
  if (count.wrong > 0) process.exitCode = 1;
  await fillDisk(expected);
} finally {
  rmSync(folder, { recursive: true });
}

/** A disk that holds one checkpoint but not two: the run stops with DISK_FULL, keeps the first, and goes on when there is room. */
async function fillDisk(expected: string | undefined): Promise<void> {
  const out = join(folder, 'small');
  mkdirSync(out);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', out], { encoding: 'utf8' });
  if (mounted.status !== 0) {
    console.log(
      `full disk: skipped, a tmpfs needs root on Linux: ${mounted.stderr?.trim() || mounted.error}`,
    );
    return;
  }
  try {
    const filler = join(out, 'filler');
    let isFull = false;
    // The first checkpoint is there: what is left of the disk is used up.
    const fill = (file: string): boolean => {
      if (
        file === 'log.jsonl' &&
        !isFull &&
        spawnSync('test', ['-e', join(out, 'checkpoint.safetensors')]).status === 0
      ) {
        isFull = true;
        spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096']);
      }
      return false;
    };
    const refused = await trainUntil(program, out, fill).catch((error: Error) => error.message);
    if (!refused.includes('DISK_FULL') || !refused.startsWith('the training ended with 1')) {
      throw new Error(`full disk: expected exit code 1 and DISK_FULL, received ${refused}`);
    }
    if (unfinishedIn(out).length > 0) throw new Error(`full disk: ${unfinishedIn(out)} is left`);
    if ((await digestIn(out)) === undefined) throw new Error('full disk: the checkpoint is gone');
    writeFileSync(filler, '');
    await trainUntil(program, out);
    if ((await digestIn(out)) !== expected) throw new Error('full disk: another digest after --resume');
    console.log(
      `full disk: stopped with DISK_FULL, went on to the same digest\n  ${refused.trim().split('\n').at(-1)}`,
    );
  } finally {
    spawnSync('umount', [out]);
  }
}
