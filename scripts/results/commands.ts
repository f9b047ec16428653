import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Table } from './tables.ts';
import type { Training } from './trainings.ts';

/** Where things are. */
export interface Folders {
  /** Holds the data sets of the campaign. */
  readonly data: string;
  /** Takes runs, evaluations and tables. */
  readonly out: string;
}

export const runFolder = ({ out }: Folders, name: string): string => join(out, 'runs', name);

/** Arguments of `verydeep` for a training, without `--resume`. */
export function trainingArguments(training: Training, folders: Folders): string[] {
  const { name, data, list, from, options } = training;
  const folder = join(folders.data, data);
  return [
    ...['train', '--data', folder],
    ...(list === undefined ? [] : ['--list', join(folder, list)]),
    ...(from === undefined ? [] : ['--from', runFolder(folders, from)]),
    ...options.split(' '),
    ...['--out', runFolder(folders, name)],
  ];
}

/** Arguments of `verydeep` for a table. */
function evaluationArguments({ name, data, runs, options }: Table, folders: Folders): string[] {
  return [
    ...['evaluate', '--data', join(folders.data, data)],
    ...runs.flatMap((run) => ['--run', runFolder(folders, run)]),
    ...options.split(' ').filter((option) => option !== ''),
    ...['--out', join(folders.out, 'evaluations', name)],
  ];
}

/** Runs a training to its end: not at all if it is finished, from its checkpoint if it was begun. */
export async function train(training: Training, folders: Folders): Promise<void> {
  const folder = runFolder(folders, training.name);
  if (existsSync(join(folder, 'manifest.json'))) return;
  const resume = existsSync(join(folder, 'checkpoint.safetensors')) ? ['--resume'] : [];
  await verydeep([...trainingArguments(training, folders), ...resume], logFile(training.name, folders));
}

export async function evaluate(table: Table, folders: Folders): Promise<void> {
  await verydeep(evaluationArguments(table, folders), logFile(table.name, folders));
}

// --- helpers ---

const logFile = (name: string, { out }: Folders): string => join(out, 'logs', `${name}.log`);

/** Runs the built command, its output in a file of its own. */
async function verydeep(args: readonly string[], log: string): Promise<void> {
  console.error(`verydeep ${args.join(' ')}`);
  mkdirSync(dirname(log), { recursive: true });
  const file = openSync(log, 'a');
  try {
    const child = spawn('node', ['dist/main.js', ...args], { stdio: ['ignore', file, file] });
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    if (code !== 0) throw new Error(`verydeep ${args[0]} ended with ${code ?? signal}; see ${log}`);
  } finally {
    closeSync(file);
  }
}
