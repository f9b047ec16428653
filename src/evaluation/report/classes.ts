import type { Evaluation } from '../evaluation.ts';
import { counted, percent } from '../notes.ts';
import { bestBoxRow, bestRow, describeRow } from '../rows.ts';
import { type Html, html, nothing } from './html.ts';
import { table } from './html-table.ts';
import { plot, plotWidth } from './plot.ts';

/** Each class's share: of the best row, and of the best boxes. */
export async function classPlots(evaluation: Evaluation): Promise<Html> {
  const best = bestRow(evaluation);
  const boxes = bestBoxRow(evaluation);
  const parts: Html[] = [];
  if (best !== undefined) {
    const classes = best.perClass.map(({ label, images, top1, top5 }) => ({
      label,
      share: top1,
      cells: [`${images}`, percent(top1), percent(top5)],
    }));
    const columns = ['class', 'images', 'top-1', 'top-5'];
    parts.push(...(await shares(classes, columns, `Top-1 by class (${describeRow(best)})`)));
  }
  if (boxes !== undefined) {
    const classes = boxes.perClass.map(({ label, images, error }) => ({
      label,
      share: 1 - error,
      cells: [`${images}`, percent(1 - error)],
    }));
    const measure =
      boxes.method === 'wholeImage' ? 'right class in the first five and right box' : 'right box';
    const title = `Boxes by class (${measure}), ${boxes.localisers.join(' + ')}`;
    parts.push(...(await shares(classes, ['class', 'images', 'right'], title)));
  }
  return parts.length > 0 ? html`<section><h2>Classes</h2>${parts}</section>` : nothing;
}

// --- helpers ---

interface ClassOfRow {
  readonly label: string;
  readonly share: number;
  /** The columns after the label. */
  readonly cells: readonly string[];
}

/** Of more than twice as many classes only so many of the worst and of the best are drawn; the table has all. */
const ends = 20;

async function shares(
  classes: readonly ClassOfRow[],
  columns: readonly string[],
  title: string,
): Promise<Html[]> {
  const sorted = [...classes].sort((a, b) => a.share - b.share);
  const isLong = sorted.length > 2 * ends;
  const drawn = isLong
    ? [
        await bars(sorted.slice(0, ends), `${title}: the worst ${ends} of ${sorted.length}`),
        await bars(sorted.slice(-ends), `${title}: the best ${ends} of ${sorted.length}`),
      ]
    : [await bars(sorted, `${title}, worst first`)];
  const rows = sorted.map(({ label, cells }) => [label, ...cells]);
  const all = table(`${title}, worst first`, columns, rows);
  return [
    ...drawn,
    html`<details><summary>All as a table: ${counted(sorted.length, 'class')}</summary><div class="tall">${all}</div></details>`,
  ];
}

function bars(classes: readonly ClassOfRow[], title: string): Promise<Html> {
  return plot(
    {
      data: { values: classes.map(({ label, share }) => ({ label, share, text: percent(share) })) },
      width: plotWidth,
      height: { step: 18 },
      encoding: {
        y: {
          field: 'label',
          type: 'nominal',
          sort: null,
          title: null,
          axis: { ticks: false, domain: false },
        },
        x: {
          field: 'share',
          type: 'quantitative',
          title: null,
          scale: { domain: [0, 1] },
          axis: { format: '.0%' },
        },
      },
      layer: [
        { mark: 'bar' },
        {
          mark: { type: 'text', align: 'left', dx: 4, color: 'currentColor', fontSize: 11 },
          encoding: { text: { field: 'text', type: 'nominal' } },
        },
      ],
    },
    title,
    `${title}.`,
  );
}
