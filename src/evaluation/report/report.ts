import { writeDurably } from '../../files/durable.ts';
import { type ImageLimits, ownImageLimits } from '../../image/limits.ts';
import { tablesOf } from '../comparison-tables.ts';
import type { Evaluation } from '../evaluation.ts';
import { skippedLines } from '../notes.ts';
import { boxes } from './boxes.ts';
import { classPlots } from './classes.ts';
import { confusions } from './confusions.ts';
import { trainingCurves } from './curves.ts';
import { errorPlots } from './errors.ts';
import { head } from './head.ts';
import { type Html, html, nothing, raw } from './html.ts';
import { table } from './html-table.ts';
import { mistakes } from './mistakes.ts';
import { style } from './style.ts';

export interface ReportOptions {
  /** What made the evaluation, as it was typed. */
  readonly command: string;
  readonly time: Date;
  /** Of the images that are shown. */
  readonly limits: ImageLimits;
}

/** Writes the report of an evaluation that has just ended. `command` is what made it. Throws DISK_FULL. */
export async function writeReport(path: string, evaluation: Evaluation, command: string): Promise<void> {
  const report = await renderReport(evaluation, { command, time: new Date(), limits: ownImageLimits });
  await writeDurably(path, report);
}

/**
 * An evaluation as one HTML page that needs nothing else: no script, no address, plots as SVG, images as small JPEGs in
 * the page. Reads the images shown and the logs of run folders; what has gone is left out.
 */
export async function renderReport(evaluation: Evaluation, options: ReportOptions): Promise<string> {
  const title = `Evaluation on ${evaluation.data.folder}, ${evaluation.data.split}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body>
${head(evaluation, options)}<main>
${tables(evaluation)}
${await errorPlots(evaluation)}
${await trainingCurves(evaluation)}
${await classPlots(evaluation)}
${await confusions(evaluation)}
${await mistakes(evaluation, options.limits)}
${await boxes(evaluation, options.limits)}
${leftOut(evaluation)}
</main>
</body>
</html>
`;
  return page.markup;
}

// --- helpers ---

function tables(evaluation: Evaluation): Html {
  return html`<section><h2>Tables</h2>
<p class="note">S is the smallest side in pixels of the training pictures, Q that of the tested ones. The mean per class gives
each class the same weight.</p>
${tablesOf(evaluation).map(({ title, paper, columns, rows }) => table(`${title} (paper: ${paper})`, columns, rows))}</section>`;
}

function leftOut(evaluation: Evaluation): Html {
  const lines = skippedLines(evaluation);
  if (lines.length === 0) return nothing;
  return html`<section><h2>Images left out</h2><ul>${lines.map((line) => html`<li>${line}</li>`)}</ul></section>`;
}
