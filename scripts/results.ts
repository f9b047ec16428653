/**
 * `npm run results -- --data FOLDER`: trains and evaluates what docs/results.md shows, and writes its tables. FOLDER holds
 * the data sets; options:
 *
 *     --out FOLDER       runs, evaluations and tables (runs/results): what is finished there is not done again
 *     --only TABLE       only this table and the trainings that it needs; may be repeated
 *     --at-once N        trainings at the same time, of one thread each (1)
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../src/errors.ts';
import type { Evaluation } from '../src/evaluation/evaluation.ts';
import { readCommandLine } from '../src/options/command-line.ts';
import { isWrongUse } from '../src/options/invalid-option.ts';
import { evaluate, type Folders, train } from './results/commands.ts';
import { drawPoints, readPoints } from './results/curves.ts';
import { curvesSection, tableSection } from './results/markdown.ts';
import { type Curves, curves, type Table, tables } from './results/tables.ts';
import { type Training, trainings } from './results/trainings.ts';

const parts: readonly (Table | Curves)[] = [...tables, ...curves];
const names = parts.map(({ name }) => name);

try {
  const { wanted, atOnce, folders } = readOptions();
  await trainAll(neededBy(wanted), atOnce, folders);
  for (const part of wanted) await ('data' in part ? writeTable(part, folders) : writeCurves(part, folders));
} catch (error) {
  console.error(`results: ${messageOf(error)}`);
  process.exitCode = isWrongUse(error) ? 2 : 1;
}

// --- helpers ---

/** Throws INVALID_OPTION, and what `parseArgs` throws. */
function readOptions(): { wanted: (Table | Curves)[]; atOnce: number; folders: Folders } {
  const options = z.strictObject({
    data: z.string().default('data'),
    out: z.string().default(join('runs', 'results')),
    only: z.array(z.enum(names)).default(names),
    atOnce: z.int().min(1).default(1),
  });
  const { only, atOnce, ...folders } = readCommandLine(options, process.argv.slice(2)).values;
  return { wanted: parts.filter(({ name }) => only.includes(name)), atOnce, folders };
}

/** The trainings of some tables, and those that they start from. */
function neededBy(some: readonly (Table | Curves)[]): Training[] {
  const names = new Set(
    some.flatMap((part) => ('data' in part ? part.runs : part.runs.map(({ name }) => name))),
  );
  for (const { name, from } of trainings.toReversed()) {
    if (names.has(name) && from !== undefined) names.add(from);
  }
  return trainings.filter(({ name }) => names.has(name));
}

/** In their order, a few at once; each after the one that it starts from. */
async function trainAll(needed: readonly Training[], atOnce: number, folders: Folders): Promise<void> {
  const finished = new Map<string, Promise<void>>();
  const turns: Promise<void>[] = Array.from({ length: atOnce }, () => Promise.resolve());
  for (const training of needed) {
    const free = await Promise.race(turns.map((turn, i) => turn.then(() => i)));
    turns[free] = (async () => {
      await finished.get(training.from ?? '');
      await train(training, folders);
    })();
    finished.set(training.name, turns[free]);
  }
  await Promise.all(turns);
}

async function writeTable(table: Table, folders: Folders): Promise<void> {
  await evaluate(table, folders);
  const json = await readFile(join(folders.out, 'evaluations', table.name, 'evaluation.json'), 'utf8');
  await write(table, tableSection(table, JSON.parse(json) as Evaluation), folders);
}

async function writeCurves(some: Curves, folders: Folders): Promise<void> {
  const points = await readPoints(some, folders);
  await writeFile(join(folders.out, `${some.name}.svg`), await drawPoints(points));
  await write(some, curvesSection(some, points), folders);
}

async function write({ name }: Table | Curves, text: string, folders: Folders): Promise<void> {
  await writeFile(join(folders.out, `${name}.md`), text);
  console.log(text);
}
