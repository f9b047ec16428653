import type { Confusion, Evaluation } from '../evaluation.ts';
import { percent } from '../notes.ts';
import { bestRow, describeRow } from '../rows.ts';
import { type Html, html, nothing } from './html.ts';
import { table } from './html-table.ts';
import { plot } from './plot.ts';

/** Columns of the plot, and wrong answers of a class in the table. */
const limits = { columns: 20, answers: 8 };

/** What the worst classes of the best row were taken for. */
export async function confusions(evaluation: Evaluation): Promise<Html> {
  const best = bestRow(evaluation);
  if (best === undefined || best.confusions.length === 0) return nothing;
  const worst = best.confusions;
  const rows = worst.map(({ label, images, top1, takenFor }) => [
    label,
    `${images}`,
    percent(top1),
    takenFor
      .slice(0, limits.answers)
      .map((answer) => `${answer.label} (${answer.images})`)
      .join(', ') + (takenFor.length > limits.answers ? ', …' : ''),
  ]);
  return html`<section><h2>Confusion of the worst classes</h2>
${await matrix(worst, `Images of the worst classes (${worst.length}) by what they were taken for (${describeRow(best)})`)}
${table('Worst classes', ['class', 'images', 'top-1', 'taken for (images)'], rows)}</section>`;
}

// --- helpers ---

/** Rows are true classes, columns the most frequent wrong answers. */
function matrix(worst: readonly Confusion[], title: string): Promise<Html> {
  const totals = new Map<string, number>();
  for (const { takenFor } of worst) {
    for (const { label, images } of takenFor) totals.set(label, (totals.get(label) ?? 0) + images);
  }
  const columns = [...totals]
    .sort(([, a], [, b]) => b - a)
    .slice(0, limits.columns)
    .map(([label]) => label);
  const cells = worst.flatMap(({ label, images, takenFor }) =>
    takenFor
      .filter((answer) => columns.includes(answer.label))
      .map((answer) => ({
        label,
        answer: answer.label,
        count: answer.images,
        share: answer.images / images,
      })),
  );
  return plot(
    {
      data: { values: cells },
      width: { step: 28 },
      height: { step: 24 },
      encoding: {
        y: {
          field: 'label',
          type: 'nominal',
          scale: { domain: worst.map(({ label }) => label) },
          title: 'true class',
        },
        x: {
          field: 'answer',
          type: 'nominal',
          scale: { domain: columns },
          title: 'taken for',
          axis: { labelAngle: -45, orient: 'top', labelLimit: 140 },
        },
      },
      layer: [
        {
          mark: { type: 'rect' },
          encoding: {
            opacity: {
              field: 'share',
              type: 'quantitative',
              scale: { domain: [0, 1], range: [0.15, 0.6] },
              legend: null,
            },
          },
        },
        {
          mark: { type: 'text', color: 'currentColor', fontSize: 11 },
          encoding: { text: { field: 'count', type: 'quantitative' } },
        },
      ],
    },
    title,
    `${title}.${totals.size > limits.columns ? ` The ${limits.columns} most frequent of ${totals.size} answers.` : ''}`,
  );
}
