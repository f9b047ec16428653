import type {
  ClassificationRow,
  Comparison,
  EvaluatedNetwork,
  Evaluation,
  LocalisationRow,
} from './evaluation.ts';
import { percent } from './notes.ts';
import { infoOf, namesOf, trainingScaleOf } from './rows.ts';

/** A table of an evaluation, cell by cell as people read it. */
export interface EvaluationTable {
  readonly title: string;
  /** What it is in the paper: `Table 3`. */
  readonly paper: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One table a comparison. */
export function tablesOf(evaluation: Evaluation): EvaluationTable[] {
  return evaluation.comparisons.map((comparison) => {
    const { title, paper, kind } = comparison;
    const table = kind === 'classification' ? classificationTable : localisationTable;
    return { title, paper, ...table(comparison, evaluation) };
  });
}

// --- helpers ---

type Cells = Pick<EvaluationTable, 'columns' | 'rows'>;

interface Column<Row> {
  readonly title: string;
  cell(row: Row): string;
}

function classificationTable({ rows }: Comparison, evaluation: Evaluation): Cells {
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
    { title: 'networks', cell: namesOf },
    {
      title: 'ConvNet',
      cell: (row) =>
        infos(row)
          .map(({ architecture }) => architecture)
          .join(' + '),
    },
    { title: 'S train', cell: (row) => once(infos(row).map(trainingScaleOf)) },
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

function localisationTable({ rows }: Comparison, evaluation: Evaluation): Cells {
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
    { title: 'S train', cell: (row) => once(infos(row).map(trainingScaleOf)) },
    { title: 'Q test', cell: ({ scales }) => scales.join(',') },
    ...(own[0]!.method === 'wholeImage' ? whole : []),
    { title: 'error, class known', cell: ({ trueClassError }) => percent(trueClassError) },
  ]);
}

/** What several networks have in common, said once; else one after the other. */
function once(cells: readonly string[]): string {
  return new Set(cells).size === 1 ? cells[0]! : cells.join(' / ');
}

function tableOf<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): Cells {
  return {
    columns: columns.map(({ title }) => title),
    rows: rows.map((row) => columns.map(({ cell }) => cell(row))),
  };
}
