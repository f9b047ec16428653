import type {
  ClassificationRow,
  Comparison,
  EvaluatedNetwork,
  Evaluation,
  LocalisationRow,
} from '../evaluation/evaluation.ts';
import { some } from '../training/listing.ts';
import { percent } from './training-printer.ts';

/** An evaluation for people: a table a comparison, then what else there is to know. */
export function evaluationTables(evaluation: Evaluation): string {
  const tables = evaluation.comparisons.map((comparison) =>
    [
      `${comparison.title} (paper: ${comparison.paper})`,
      ...aligned(comparisonTable(comparison, evaluation)),
    ].join('\n'),
  );
  const notes = [dataLine(evaluation), ...confusionLines(evaluation), ...skippedLines(evaluation)];
  return [...tables, notes.join('\n')].join('\n\n');
}

/** The cells of a comparison, line by line; the first line has the titles. */
export function comparisonTable(comparison: Comparison, evaluation: Evaluation): string[][] {
  return comparison.kind === 'classification'
    ? classificationTable(comparison, evaluation)
    : localisationTable(comparison, evaluation);
}

// --- helpers ---

interface Column<Row> {
  readonly title: string;
  cell(row: Row): string;
}

function classificationTable({ rows }: Comparison, evaluation: Evaluation): string[][] {
  const own = rows.map((row) => evaluation.classification[row]!);
  const isCompared = (value: (row: ClassificationRow) => unknown): boolean =>
    new Set(own.map(value)).size > 1;
  const infos = ({ members }: ClassificationRow): EvaluatedNetwork[] =>
    members.map(({ network }) => infoOf(evaluation, network));
  const optional: (Column<ClassificationRow> | false)[] = [
    isCompared(({ view }) => view) && { title: 'view', cell: ({ view }) => view },
    isCompared(({ flip }) => flip) && { title: 'mirror', cell: ({ flip }) => (flip ? 'yes' : 'no') },
  ];
  return tableOf(own, [
    { title: 'networks', cell: ({ members }) => members.map(({ network }) => network).join(' + ') },
    {
      title: 'ConvNet',
      cell: (row) =>
        infos(row)
          .map(({ architecture }) => architecture)
          .join(' + '),
    },
    { title: 'S train', cell: (row) => once(infos(row).map(trainingScale)) },
    { title: 'Q test', cell: ({ members }) => once(members.map(({ scales }) => scales.join(','))) },
    ...optional.filter((column) => column !== false),
    { title: 'top-1', cell: ({ top1 }) => percent(top1) },
    { title: 'top-5', cell: ({ top5 }) => percent(top5) },
    { title: 'mean per class', cell: ({ meanPerClass }) => percent(meanPerClass) },
    { title: 'top-1 error', cell: ({ top1 }) => percent(1 - top1) },
    { title: 'top-5 error', cell: ({ top5 }) => percent(1 - top5) },
  ]);
}

const regression = { scr: 'SCR', pcr: 'PCR', classes: '' };
const tuned = { all: 'all', fullyConnected: '1st and 2nd FC' };

function localisationTable({ rows }: Comparison, evaluation: Evaluation): string[][] {
  const own = rows.map((row) => evaluation.localisation[row]!);
  const infos = ({ localisers }: LocalisationRow): EvaluatedNetwork[] =>
    localisers.map((name) => infoOf(evaluation, name));
  const whole: Column<LocalisationRow>[] = [
    { title: 'classes by', cell: ({ classifiers }) => classifiers.join(' + ') },
    { title: 'top-1 error', cell: ({ top1Error }) => percent(top1Error!) },
    { title: 'top-5 error', cell: ({ top5Error }) => percent(top5Error!) },
  ];
  return tableOf(own, [
    { title: 'boxes by', cell: ({ localisers }) => localisers.join(' + ') },
    { title: 'regression', cell: (row) => once(infos(row).map(({ head }) => regression[head])) },
    {
      title: 'layers tuned',
      cell: (row) => once(infos(row).map(({ trainable }) => (trainable ? tuned[trainable] : '?'))),
    },
    { title: 'S train', cell: (row) => once(infos(row).map(trainingScale)) },
    { title: 'Q test', cell: ({ scales }) => scales.join(',') },
    ...(own[0]!.method === 'wholeImage' ? whole : []),
    { title: 'error, class known', cell: ({ trueClassError }) => percent(trueClassError) },
  ]);
}

function dataLine({ data, engine }: Evaluation): string {
  const boxes = data.boxes > 0 ? `, ${data.boxes} with a box` : '';
  return `${data.images} images of ${data.classes} classes${boxes}; ${engine.engine} ${engine.precision}`;
}

/** Of the row with the fewest errors. */
function confusionLines({ classification }: Evaluation): string[] {
  const [first, ...others] = classification;
  if (first === undefined) return [];
  const best = others.reduce((a, b) => (b.top1 > a.top1 ? b : a), first);
  if (best.confusions.length === 0) return [];
  const names = best.members.map(({ network }) => network).join(' + ');
  const lines = best.confusions.slice(0, 5).map(({ label, top1, images, takenFor }) => {
    const answers = takenFor.slice(0, 3).map((answer) => `${answer.label} (${answer.images})`);
    return [`  ${label}`, percent(top1), `of ${images}`, `taken for ${answers.join(', ')}`];
  });
  return [`worst classes of ${names}:`, ...aligned(lines)];
}

function skippedLines({ skipped: { unknownClasses, unreadable } }: Evaluation): string[] {
  const lines: string[] = [];
  if (unknownClasses.length > 0) {
    const images = unknownClasses.reduce((sum, { images: own }) => sum + own, 0);
    const labels = some(unknownClasses.map(({ label }) => label));
    lines.push(`left out: ${images} images of classes that not all networks know: ${labels}`);
  }
  if (unreadable.length > 0) {
    const [{ name, reason }] = unreadable as [(typeof unreadable)[0]];
    lines.push(`left out: ${unreadable.length} images that cannot be read, for instance ${name}: ${reason}`);
  }
  return lines;
}

function infoOf({ networks }: Evaluation, name: string): EvaluatedNetwork {
  return networks.find((network) => network.name === name)!;
}

/** `160`, or `128-192`. */
function trainingScale({ trainingScale: { min, max } }: EvaluatedNetwork): string {
  return min === max ? `${min}` : `${min}-${max}`;
}

/** What several networks have in common, said once; else one after the other. */
function once(cells: readonly string[]): string {
  return new Set(cells).size === 1 ? cells[0]! : cells.join(' / ');
}

function tableOf<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[][] {
  return [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
}

function aligned(lines: readonly string[][]): string[] {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
}
