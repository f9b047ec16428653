import { readEpochs } from '../../training/epoch-log.ts';
import type { EvaluatedNetwork, Evaluation } from '../evaluation.ts';
import { type Html, html, nothing } from './html.ts';
import { seriesStyles } from './palette.ts';
import { plot, plotWidth } from './plot.ts';

/** Loss and accuracy by epoch, of the networks whose run folders have a log. */
export async function trainingCurves({ networks }: Evaluation): Promise<Html> {
  const curves: Curve[] = [];
  for (const network of networks) {
    const { source } = network;
    const epochs = source.kind === 'run' ? await readEpochs(source.folder) : [];
    if (epochs.length > 0) curves.push({ network, epochs });
  }
  const ofClasses = curves.filter(({ network: { head } }) => head === 'classes');
  const ofBoxes = curves.filter(({ network: { head } }) => head !== 'classes');
  const plots = [
    ...(await plotsOf(ofClasses, 'Top-1 accuracy', 'cross-entropy')),
    ...(await plotsOf(ofBoxes, 'Share of boxes with an IoU over 0.5', 'squared distance of the boxes')),
  ];
  return plots.length > 0 ? html`<section><h2>Training</h2>${plots}</section>` : nothing;
}

// --- helpers ---

interface Curve {
  readonly network: EvaluatedNetwork;
  readonly epochs: Awaited<ReturnType<typeof readEpochs>>;
}

async function plotsOf(curves: readonly Curve[], accuracy: string, loss: string): Promise<Html[]> {
  if (curves.length === 0) return [];
  const names = curves.map(({ network }) => network.name);
  const points = curves.flatMap(({ network: { name }, epochs }) =>
    epochs.map((one) => ({ ...one, name, training: one.trainingLoss, validation: one.loss })),
  );
  const { colours, dashes } = seriesStyles(names.length);
  const legend = { columns: legendColumns(names), symbolSize: 600 };
  const common = {
    data: { values: points },
    mark: { type: 'line', point: points.length === curves.length },
    height: 220,
  } as const;
  const encoding = {
    x: {
      field: 'epoch',
      type: 'quantitative',
      title: 'epoch',
      axis: { tickMinStep: 1, format: 'd', grid: false },
    },
    color: { field: 'name', type: 'nominal', scale: { domain: names, range: colours }, legend },
    strokeDash: { field: 'name', type: 'nominal', scale: { domain: names, range: dashes }, legend },
  } as const;
  return [
    await plot(
      {
        ...common,
        width: plotWidth,
        encoding: {
          ...encoding,
          y: { field: 'accuracy', type: 'quantitative', title: null, axis: { format: '.0%' } },
        },
      },
      `${accuracy} by epoch of ${names.join(', ')}`,
      `${accuracy} on the validation split's central crops, by epoch.`,
    ),
    await plot(
      {
        ...common,
        transform: [{ fold: ['training', 'validation'], as: ['split', 'value'] }],
        width: plotWidth / 2 - 20,
        encoding: {
          ...encoding,
          column: { field: 'split', sort: null },
          y: { field: 'value', type: 'quantitative', title: null, scale: { zero: false } },
        },
      },
      `Loss by epoch of ${names.join(', ')}`,
      `Loss (${loss}) by epoch; while training with dropout and changed pictures.`,
    ),
  ];
}

/** So many that the legend is no wider than the plot. */
function legendColumns(names: readonly string[]): number {
  const longest = Math.max(...names.map(({ length }) => length));
  return Math.max(1, Math.floor(plotWidth / (45 + 7 * longest)));
}
