import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseTrainingEngine } from '../engine/choose-training.ts';
import { engines } from '../engine/engines.ts';
import { precisions } from '../engine/precision.ts';
import { readRun } from '../ensembles/run.ts';
import { lockFile } from '../files/lock.ts';
import { ownImageLimits } from '../image/limits.ts';
import { parseSettings } from '../training/settings.ts';
import { train } from '../training/train.ts';
import { oneOf, wrongUse } from './cli/option-values.ts';
import { createTrainingPrinter } from './cli/training-printer.ts';

export const help = `verydeep train: trains one network

Usage: verydeep train --data FOLDER --out RUN [OPTIONS]

  --data FOLDER          train/CLASS/NAME.jpg and val/CLASS/NAME.jpg, boxes in
                         metadata.jsonl; or ILSVRC's folders (docs/training.md)
  --list FILE            use only these training images, CLASS/NAME a line
  --out RUN              folder for checkpoints, log.jsonl, manifest.json, network
  --resume               go on from the checkpoint in RUN

Network
  --architecture A..E    D (VGG-16), E (VGG-19)                       [D]
  --width X              channel multiplier                            [1]
  --fc N                 outputs of the hidden fully connected layers  [4096]
  --crop N               side of the crops, a multiple of 32           [224]
  --head KIND            classes; boxes: scr (one), pcr (one a class)  [classes]

Recipe
  --scale S | MIN-MAX    smallest side of the pictures, or its range   [256]
  --batch N              pictures an update                            [256]
  --micro-batch N        pictures in one pass                          [the batch]
  --epochs N                                                           [74]
  --rate R | R,E:R,...   falls tenfold when validation stops improving,
                         or from the given epochs on                   [0.01]
  --patience N           epochs without improvement before it falls    [8]
  --initialise KIND      gaussian, glorot, he                          [gaussian]
  --from RUN             start from this run's network (same or shallower)
  --trainable KIND       all, fullyConnected                           [all]
  --seed N                                                             [1]

Machine
  --engine NAME          ${engines.choices.training.join(', ').padEnd(45)} [auto]
  --precision KIND       ${precisions.join(', ').padEnd(45)} [fp32]
  --threads N                                                          [all cores]
  --workers N            processes that divide each micro-batch, and
                         the threads, among them                       [1]
  --cache-mb N           decoded pictures kept in memory               [2048]
  --skip-broken SHARE    of a split that may be broken; 3 may in any case  [0.01]

Examples
  verydeep train --data caltech101 --architecture D --width 0.25 --fc 512 --crop 128 --scale 128-192 \\
    --initialise he --batch 32 --epochs 80 --rate 0.01,60:0.001 --precision bf16 --out runs/d
  verydeep train --data boxes4 --from runs/d --head scr --architecture D --width 0.25 --fc 512 --crop 128 \\
    --scale 144 --batch 32 --epochs 40 --rate 0.001 --out runs/boxes
  verydeep train --data caltech101 --out runs/d --resume ... (the same options)`;

/** Runs `verydeep train`. */
export async function run(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      data: { type: 'string' },
      list: { type: 'string' },
      out: { type: 'string' },
      resume: { type: 'boolean', default: false },
      architecture: { type: 'string' },
      width: { type: 'string' },
      fc: { type: 'string' },
      crop: { type: 'string' },
      head: { type: 'string' },
      scale: { type: 'string' },
      batch: { type: 'string' },
      'micro-batch': { type: 'string' },
      epochs: { type: 'string' },
      rate: { type: 'string' },
      patience: { type: 'string' },
      initialise: { type: 'string' },
      from: { type: 'string' },
      trainable: { type: 'string' },
      seed: { type: 'string' },
      engine: { type: 'string', default: 'auto' },
      precision: { type: 'string' },
      threads: { type: 'string' },
      workers: { type: 'string' },
      'cache-mb': { type: 'string' },
      'skip-broken': { type: 'string' },
    },
  });
  if (values.out === undefined) throw wrongUse('--out', 'the folder of the run', 'none');
  const settings = parseSettings(
    withoutUndefined({
      data: values.data,
      list: values.list,
      architecture: values.architecture,
      width: number(values.width),
      fc: number(values.fc),
      crop: number(values.crop),
      head: values.head,
      scale: values.scale === undefined ? undefined : parseScale(values.scale),
      batch: number(values.batch),
      microBatch: number(values['micro-batch']),
      epochs: number(values.epochs),
      rate: values.rate,
      patience: number(values.patience),
      initialise: values.initialise,
      from: values.from,
      trainable: values.trainable,
      seed: number(values.seed),
      precision: values.precision,
      threads: number(values.threads),
      workers: number(values.workers),
      skipBroken: values['skip-broken'] === undefined ? undefined : Number(values['skip-broken']),
      cacheBytes: values['cache-mb'] === undefined ? undefined : Number(values['cache-mb']) * 2 ** 20,
    }),
  );
  const { createStep, engine } = await chooseTrainingEngine(
    oneOf('--engine', values.engine, engines.choices.training),
    { ...settings, device: 'cpu' },
    console.error,
  );

  // Two trainings of one run would write each other's checkpoints.
  const lock = await lockFile(join(values.out, 'lock'), lockTimeoutMs);
  const controller = new AbortController();
  const interrupt = (): void => {
    console.error('\nfinishing the step and writing a checkpoint; press Ctrl-C again to stop at once');
    controller.abort();
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const printer = createTrainingPrinter();
  try {
    const network = await train({
      settings,
      out: values.out,
      resume: values.resume,
      command: `verydeep train ${argv.join(' ')}`,
      findSource: readRun,
      createStep,
      engine,
      limits: ownImageLimits,
      onEvent: printer.print,
      signal: controller.signal,
    });
    return network ? 0 : 1;
  } finally {
    lock.release();
    printer.stop();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

// --- helpers ---

/** A training that was just killed may take a moment to end. */
const lockTimeoutMs = 2000;

/** `256`, or `256-512`. */
function parseScale(text: string): { min: number; max: number } {
  const [min, max = min] = text.split('-').map(Number);
  return { min: min!, max: max! };
}

const number = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text);

function withoutUndefined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
