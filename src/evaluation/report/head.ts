import type { EvaluatedNetwork, Evaluation } from '../evaluation.ts';
import { counted, dataLine, percent } from '../notes.ts';
import { trainingScaleOf } from '../rows.ts';
import { type Html, html } from './html.ts';
import { table } from './html-table.ts';

/** What was measured, of what, when and how: all that somebody needs to measure it again. */
export function head(
  evaluation: Evaluation,
  origin: { readonly command: string; readonly time: Date },
): Html {
  const { data, engine, networks } = evaluation;
  return html`<header>
<h1>${titleOf(networks)} on ${data.folder}, ${data.split}</h1>
<p>${dataLine(evaluation)}, device ${engine.device}. ${day(origin.time)}.</p>
<dl>
<dt>Command</dt><dd><code>${origin.command}</code></dd>
<dt>Images</dt><dd><code>${data.digest}</code></dd>
</dl>
${table(
  'Networks',
  [
    'name',
    'ConvNet',
    'width',
    'FC',
    'crop',
    'S train',
    'answers',
    'parameters',
    'in training',
    'from',
    'sha256',
  ],
  networks.map(networkCells),
)}</header>
`;
}

// --- helpers ---

/** Many are said by their number: the table has their names. */
function titleOf(networks: readonly EvaluatedNetwork[]): string {
  return networks.length > 5
    ? counted(networks.length, 'network')
    : networks.map(({ name }) => name).join(', ');
}

function networkCells(network: EvaluatedNetwork): string[] {
  const { name, architecture, width, fc, crop, head, classes, parameters, validation, source } = network;
  return [
    name,
    architecture,
    `${width}`,
    `${fc}`,
    `${crop}`,
    trainingScaleOf(network),
    head === 'classes' ? counted(classes, 'class') : head === 'scr' ? 'a box (SCR)' : 'a box a class (PCR)',
    parameters.toLocaleString('en'),
    validation ? `${percent(validation.accuracy)}, epoch ${validation.epoch}` : '',
    source.kind === 'ensemble' ? `${source.ensemble}, version ${source.version}` : source.folder,
    `${source.digest.slice('sha256:'.length, 'sha256:'.length + 8)}…`,
  ];
}

/** `2026-11-25 16:30 UTC` */
function day(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
