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
import { parseArgs } from 'node:util';
import type { Evaluation } from '../src/evaluation/evaluation.ts';
import { type Curves, curves, type Table, type Training, tables, trainings } from './results/campaign.ts';
import { evaluate, type Folders, train } from './results/commands.ts';
import { drawPoints, readPoints } from './results/curves.ts';
import { curvesSection, tableSection } from './results/markdown.ts';

const parts: readonly (Table | Curves)[] = [...tables, ...curves];
const { values } = parseArgs({
  options: {
    data: { type: 'string', default: 'data' },
    out: { type: 'string', default: join('runs', 'results') },
    only: { type: 'string', multiple: true, default: parts.map(({ name }) => name) },
    'at-once': { type: 'string', default: '1' },
  },
});
const folders: Folders = values;
const wanted = values.only.map((name) => {
  const part = parts.find((one) => one.name === name);
  if (part) return part;
  throw new Error(`--only: expected one of ${parts.map((one) => one.name).join(', ')}; received "${name}"`);
});

await trainAll(neededBy(wanted), Number(values['at-once']));
for (const part of wanted) await ('data' in part ? writeTable(part) : writeCurves(part));

// --- helpers ---

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
async function trainAll(needed: readonly Training[], atOnce: number): Promise<void> {
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

async function writeTable(table: Table): Promise<void> {
  await evaluate(table, folders);
  const json = await readFile(join(folders.out, 'evaluations', table.name, 'evaluation.json'), 'utf8');
  await write(table, tableSection(table, JSON.parse(json) as Evaluation));
}

async function writeCurves(some: Curves): Promise<void> {
  const points = await readPoints(some, folders);
  await writeFile(join(folders.out, `${some.name}.svg`), await drawPoints(points));
  await write(some, curvesSection(some, points));
}

async function write({ name }: Table | Curves, text: string): Promise<void> {
  await writeFile(join(folders.out, `${name}.md`), text);
  console.log(text);
}
