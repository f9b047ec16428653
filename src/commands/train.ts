import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { chooseTrainingEngine } from '../engine/choose-training.ts';
import { engines } from '../engine/engines.ts';
import { lockFile } from '../files/lock.ts';
import { ownImageLimits } from '../image/limits.ts';
import { optionHelp, readCommandLine } from '../options/command-line.ts';
import { optionHints } from '../options/hints.ts';
import { weights } from '../service/local-options.ts';
import { packageWeights } from '../service/weights-folder.ts';
import { findRunOrNetwork, settingsLike } from '../tasks/source.ts';
import {
  checkTogether,
  dataSettings,
  machineSettings,
  networkSettings,
  recipeSettings,
} from '../training/settings.ts';
import { train } from '../training/train.ts';
import { createTrainingPrinter } from './cli/training-printer.ts';

/** The options, by the sections of the help text. */
const sections = {
  Files: {
    ...dataSettings,
    out: z
      .string()
      .min(1)
      .register(optionHints, { value: 'RUN' })
      .describe('Folder for checkpoints, log.jsonl, manifest.json and the network.'),
    weights: weights.describe('Folder of ensembles, for --from NAME@VERSION/NETWORK.'),
    resume: z.boolean().default(false).describe('Go on from the checkpoint in RUN.'),
  },
  Network: networkSettings,
  Recipe: recipeSettings,
  Machine: {
    engine: z.enum(engines.choices.training).default('auto').describe('What computes (docs/engines.md).'),
    ...machineSettings,
  },
};

const trainOptions = z
  .strictObject({ ...sections.Files, ...sections.Network, ...sections.Recipe, ...sections.Machine })
  .superRefine(checkTogether);

const optionsHelp = Object.entries(sections)
  .map(([title, shape]) => `${title}\n${optionHelp(z.object(shape))}`)
  .join('\n\n');

export const help = `verydeep train: trains one network

Usage: verydeep train --data FOLDER --out RUN [OPTIONS]

${optionsHelp}

Examples
  verydeep train --data caltech101 --architecture D --width 0.25 --fc 512 --crop 128 --scale 128-192 \\
    --initialise he --batch 32 --epochs 80 --rate 0.01,60:0.001 --precision bf16 --out runs/d
  verydeep train --data photos --from demo --batch 32 --epochs 20 --rate 0.001 --out runs/mine
  verydeep train --data boxes4 --from runs/d --head scr --scale 144 --batch 32 --epochs 40 --rate 0.001 \\
    --out runs/boxes
  verydeep train --data caltech101 --out runs/d --resume ... (the same options)`;

/** A training that was just killed may take a moment to end. */
const lockTimeoutMs = 2000;

/** Runs `verydeep train`. */
export async function run(argv: string[]): Promise<number> {
  const options = [...(await optionsOfSource(argv)), ...argv]; // of an option that is there twice the last one counts
  const { out, resume, engine: wanted, weights, ...settings } = readCommandLine(trainOptions, options).values;
  const { createStep, engine } = await chooseTrainingEngine(
    wanted,
    { ...settings, device: 'cpu' },
    console.error,
  );

  // Two trainings of one run would write each other's checkpoints.
  const lock = await lockFile(join(out, 'lock'), lockTimeoutMs);
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
      out,
      resume,
      command: `verydeep train ${argv.join(' ')}`,
      findSource: (from) => findRunOrNetwork(weights, from, settings.architecture),
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

/** The shape of the network that `--from` names, as options: it need not be said again. */
async function optionsOfSource(argv: readonly string[]): Promise<string[]> {
  const text = { type: 'string' } as const;
  const options = { from: text, architecture: text, weights: text };
  const { values } = parseArgs({ args: [...argv], options, strict: false });
  const { from, architecture, weights: folder = packageWeights } = values;
  if (typeof from !== 'string' || typeof folder !== 'string') return [];
  const source = await findRunOrNetwork(folder, from, architecture);
  const shape = { architecture: source.network.architecture, ...settingsLike(source) };
  return Object.entries(shape).flatMap(([name, value]) => [`--${name}`, String(value)]);
}
