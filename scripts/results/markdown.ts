import { tablesOf } from '../../src/evaluation/comparison-tables.ts';
import type { Evaluation } from '../../src/evaluation/evaluation.ts';
import { counted, percent } from '../../src/evaluation/notes.ts';
import type { Point } from './curves.ts';
import { accuracyOf, classificationRow, describe } from './rows.ts';
import type { Claim, Curves, Goal, Table } from './tables.ts';

/** An evaluation as a section in Markdown: goals, claims, then each comparison. */
export function tableSection(table: Table, evaluation: Evaluation): string {
  const { goals = [], claims } = table;
  const { images, classes } = evaluation.data;
  const parts = [
    `## ${table.title}`,
    `${counted(images, 'validation image')} of ${counted(classes, 'class')}; \`npm run results -- --only ${table.name}\``,
    ...(goals.length > 0 ? [markdownTable(goalLines(goals, evaluation))] : []),
    ...(claims.length > 0 ? [markdownTable(claimLines(claims, evaluation))] : []),
    ...tablesOf(evaluation).flatMap(({ title, paper, columns, rows }) => [
      `${title} (paper: ${paper})`,
      markdownTable([columns, ...rows]),
    ]),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Where the curves of some runs end. */
export function curvesSection({ name, title, runs }: Curves, points: readonly Point[]): string {
  const lines = runs.map(({ says }) => {
    const { epoch, trainingLoss, accuracy } = points.findLast(({ run }) => run === says)!;
    return [says, `${epoch}`, trainingLoss.toFixed(3), `${accuracy.toFixed(1)} %`];
  });
  const table = markdownTable([['start', 'epochs', 'training loss', 'validation top-1'], ...lines]);
  return `${[`## ${title}`, `\`npm run results -- --only ${name}\``, table].join('\n\n')}\n`;
}

// --- helpers ---

function goalLines(goals: readonly Goal[], evaluation: Evaluation): string[][] {
  return [
    ['networks', 'mean per class', 'published', 'goal', ''],
    ...goals.map(({ row, published, goal }) => {
      const { meanPerClass } = classificationRow(evaluation, row);
      const here = meanPerClass >= goal ? 'met' : `missed by ${points(goal - meanPerClass)}`;
      return [describe(row), percent(meanPerClass), percent(published), percent(goal), here];
    }),
  ];
}

/** Two alike are at most this far apart. */
const alikeWithin = 0.01;

function verdict(expected: Claim['expected'], a: number, b: number, images: number): string {
  if (expected === 'alike' ? Math.abs(a - b) > alikeWithin : a <= b) return 'does not show';
  const within = expected === 'better' && a - b <= standardError(a, b, images);
  return within ? 'shows, within the standard error' : 'shows';
}

/** Of the difference of two shares, as if each had images of its own: too large where both saw the same ones. */
const standardError = (a: number, b: number, images: number): number =>
  Math.sqrt((a * (1 - a) + b * (1 - b)) / images);

function claimLines(claims: readonly Claim[], evaluation: Evaluation): string[][] {
  return [
    ['the paper lets expect', 'first', 'second', 'difference', 'here'],
    ...claims.map(({ says, first, second, expected }) => {
      const [a, b] = [accuracyOf(evaluation, first), accuracyOf(evaluation, second)];
      const here = verdict(expected, a, b, evaluation.data.images);
      return [says, percent(a), percent(b), points(a - b), here];
    }),
  ];
}

const points = (share: number): string => `${(100 * share).toFixed(1)} points`;

function markdownTable([head, ...lines]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head!), line(head!.map(() => '---')), ...lines.map(line)].join('\n');
}
