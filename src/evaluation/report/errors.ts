import type { ClassificationRow, Evaluation, LocalisationRow } from '../evaluation.ts';
import { infoOf, namesOf, trainingScaleOf } from '../rows.ts';
import { type Html, html, nothing } from './html.ts';
import { plot, plotWidth } from './plot.ts';

/** Error by depth, training scale and test scales, of networks alone and together. */
export async function errorPlots(evaluation: Evaluation): Promise<Html> {
  const plots: Html[] = [];
  const classes = classificationPoints(evaluation);
  if (classes.length > 0) {
    plots.push(
      await errorPlot(
        classes,
        'Classification error',
        'By network, from few layers to many. Left is better.',
      ),
    );
  }
  const boxes = localisationPoints(evaluation);
  if (boxes.length > 0) {
    const caption = 'Boxes of whole pictures: IoU with the true box of 0.5 or less is wrong. Left is better.';
    plots.push(await errorPlot(boxes, 'Localisation error', caption));
  }
  return plots.length > 0 ? html`<section><h2>Error by depth and scale</h2>${plots}</section>` : nothing;
}

// --- helpers ---

interface Point {
  readonly row: string;
  readonly measure: string;
  readonly error: number;
  readonly tested: string;
}

const tested = { one: 'one test scale Q', several: 'several test scales', together: 'networks together' };

/** Rows of the first view, with the mirror image if it was asked for: what else they differ in can be seen. */
function classificationPoints(evaluation: Evaluation): Point[] {
  const { classification } = evaluation;
  const flips = classification.some(({ flip }) => flip);
  return classification
    .filter(({ view, flip }) => view === classification[0]!.view && flip === flips)
    .flatMap((row) => {
      const common = { row: rowName(row, evaluation), tested: kindOf(row) };
      return [
        { ...common, measure: 'top-1 error', error: 1 - row.top1 },
        { ...common, measure: 'top-5 error', error: 1 - row.top5 },
      ];
    });
}

function localisationPoints({ localisation }: Evaluation): Point[] {
  return localisation
    .filter(({ method }) => method === 'wholeImage')
    .flatMap((row: LocalisationRow) => {
      const common = {
        row: row.localisers.join(' + '),
        tested: row.scales.length > 1 ? tested.several : tested.one,
      };
      return [
        { ...common, measure: 'top-5 error', error: row.top5Error! },
        { ...common, measure: 'error, class known', error: row.trueClassError },
      ];
    });
}

function rowName(row: ClassificationRow, evaluation: Evaluation): string {
  if (row.members.length > 1) return namesOf(row);
  const info = infoOf(evaluation, row.members[0]!.network);
  return `${info.name}: ConvNet ${info.architecture}, S ${trainingScaleOf(info)}`;
}

function kindOf({ members }: ClassificationRow): string {
  if (members.length > 1) return tested.together;
  return members[0]!.scales.length > 1 ? tested.several : tested.one;
}

function errorPlot(points: readonly Point[], label: string, caption: string): Promise<Html> {
  const kinds = Object.values(tested).filter((kind) => points.some((point) => point.tested === kind));
  return plot(
    {
      data: { values: [...points] },
      mark: { type: 'point', filled: true, size: 90, opacity: 0.9 },
      width: plotWidth / 2 - 20,
      height: { step: 24 },
      encoding: {
        column: { field: 'measure', sort: null },
        y: { field: 'row', type: 'nominal', sort: null, title: null, axis: { grid: true } },
        x: {
          field: 'error',
          type: 'quantitative',
          title: null,
          scale: { zero: false, nice: true },
          axis: { format: '.1~%', tickCount: 5, tickMinStep: 0.001 },
        },
        color: { field: 'tested', type: 'nominal', scale: { domain: kinds } },
        shape: { field: 'tested', type: 'nominal', scale: { domain: kinds } },
      },
      resolve: { scale: { x: 'independent' } },
    },
    `${label}, row by row; the tables have the numbers`,
    caption,
  );
}
