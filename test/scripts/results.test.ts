import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { trainingArguments } from '../../scripts/results/commands.ts';
import { drawPoints } from '../../scripts/results/curves.ts';
import { curvesSection, tableSection } from '../../scripts/results/markdown.ts';
import { curves, type Table, tables } from '../../scripts/results/tables.ts';
import { trainings } from '../../scripts/results/trainings.ts';
import type { ClassificationRow, Evaluation } from '../../src/evaluation/evaluation.ts';

const network = (name: string): Evaluation['networks'][number] => ({
  name,
  architecture: 'A',
  width: 1,
  fc: 8,
  crop: 32,
  head: 'classes',
  classes: 2,
  parameters: 1,
  trainingScale: { min: 32, max: 64 },
  source: { kind: 'run', folder: name, digest: 'sha256:0' },
});

const row = (name: string, scales: number[], top1: number): ClassificationRow => ({
  members: [{ network: name, scales }],
  flip: true,
  view: 'dense',
  top1,
  top5: 1,
  meanPerClass: top1 / 2,
  perClass: [],
  confusions: [],
  mistakes: [],
});

const evaluation: Evaluation = {
  format: 1,
  data: { folder: 'photos', split: 'val', digest: 'sha256:0', images: 1000, boxes: 0, classes: 2 },
  engine: { engine: 'reference', device: 'cpu', precision: 'fp32' },
  networks: [network('a'), network('d')],
  classification: [row('a', [48], 0.5), row('d', [48], 0.4), row('a', [32, 48, 64], 0.505)],
  localisation: [],
  comparisons: [{ title: 'One test scale', paper: 'Table 3', kind: 'classification', rows: [0, 1] }],
  skipped: { unknownClasses: [], unreadable: [] },
};

const one = (name: string) => ({ networks: [name], scales: 'one' as const });
const table: Table = {
  name: 'tiny',
  title: 'Tiny',
  data: 'caltech101',
  runs: ['a', 'd'],
  options: '',
  goals: [{ row: one('a'), published: 0.2, goal: 0.3 }],
  claims: [
    { says: 'D over A', first: one('d'), second: one('a'), expected: 'better' },
    { says: 'A over D', first: one('a'), second: one('d'), expected: 'better' },
    { says: 'scales over one', first: { ...one('a'), scales: 'all' }, second: one('a'), expected: 'better' },
    { says: 'scales', first: one('a'), second: { ...one('a'), scales: 'all' }, expected: 'alike' },
    { says: 'A like D', first: one('a'), second: one('d'), expected: 'alike' },
  ],
};

describe('the tables of results', () => {
  const lines = tableSection(table, evaluation).split('\n');
  const lineOf = (start: string) => lines.find((line) => line.startsWith(`| ${start}`));

  it('say whether a goal is met', () => {
    expect(lineOf('a, one scale')).toBe('| a, one scale | 25.0 % | 20.0 % | 30.0 % | missed by 5.0 points |');
  });

  it('say what shows and what does not', () => {
    expect(lineOf('D over A')).toBe('| D over A | 40.0 % | 50.0 % | -10.0 points | does not show |');
    expect(lineOf('A over D')).toBe('| A over D | 50.0 % | 40.0 % | 10.0 points | shows |');
    expect(lineOf('scales over one')).toMatch(/ 0\.5 points \| shows, within the standard error \|$/);
    expect(lineOf('scales |')).toBe('| scales | 50.0 % | 50.5 % | -0.5 points | shows |');
    expect(lineOf('A like D')).toMatch(/does not show/);
  });

  it('show the rows of each comparison', () => {
    expect(lineOf('a | A | 32-64 | 48')).toMatch(/50\.0 %/);
    expect(lineOf('d | A | 32-64 | 48')).toMatch(/40\.0 %/);
  });

  it('refuse a row that was not measured', () => {
    const unknown = { ...table, goals: [{ row: one('e'), published: 0, goal: 0 }] };
    expect(() => tableSection(unknown, evaluation)).toThrow('no row e, one scale');
  });
});

describe('curves', () => {
  const points = [1, 2].map((epoch) => ({
    run: 'a start',
    epoch,
    trainingLoss: 5 - epoch,
    accuracy: 10 * epoch,
  }));

  it('end in a table', () => {
    const some = { name: 'tiny', title: 'Tiny', epochs: 2, runs: [{ name: 'a', says: 'a start' }] };
    expect(curvesSection(some, points)).toContain('| a start | 2 | 3.000 | 20.0 % |');
  });

  it('are drawn as SVG with their legend', async () => {
    const svg = await drawPoints(points);
    expect(svg).toMatch(/^<svg /);
    expect(svg).toContain('a start');
    expect(svg).toContain('training loss');
  });
});

describe('the campaign', () => {
  const names = trainings.map(({ name }) => name);

  it('has each name once, and trains what something starts from before it', () => {
    expect(new Set(names).size).toBe(names.length);
    for (const { name, from } of trainings) {
      if (from !== undefined) expect(names.slice(0, names.indexOf(name))).toContain(from);
    }
  });

  it('trains all that its tables and curves need', () => {
    const needed = [
      ...tables.flatMap(({ runs }) => runs),
      ...curves.flatMap(({ runs }) => runs.map(({ name }) => name)),
    ];
    expect(names).toEqual(expect.arrayContaining(needed));
  });

  it('is made of commands', () => {
    const training = {
      name: 'd',
      data: 'caltech101',
      list: 'train30.txt',
      from: 'a',
      options: '--epochs 2',
    } as const;
    expect(trainingArguments(training, { data: 'data', out: 'out' }).join(' ')).toBe(
      'train --data data/caltech101 --list data/caltech101/train30.txt --from out/runs/a --epochs 2 --out out/runs/d',
    );
  });
});

describe('the command', () => {
  it('refuses an unknown table in a line, as wrong use', () => {
    const script = fileURLToPath(new URL('../../scripts/results.ts', import.meta.url));
    const args = ['--import', 'tsx', script, '--only', 'unknown'];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).toMatch(/^results: --only: expected caltech30, .*; received "unknown"\n$/);
    expect(status).toBe(2);
  });
});
