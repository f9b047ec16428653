import { boxOf, intersectionOverUnion, type PixelBox } from '../../image/box.ts';
import type { ImageLimits } from '../../image/limits.ts';
import type { Evaluation, LocalisationExample, LocalisationRow, RankedGuess } from '../evaluation.ts';
import { percent } from '../notes.ts';
import { bestBoxRow } from '../rows.ts';
import { type Html, html, nothing } from './html.ts';
import { dataUri, pictureOf } from './picture.ts';

const longestSide = 260;

/** Images with their true box and the one that the best row of boxes has found. */
export async function boxes(evaluation: Evaluation, limits: ImageLimits): Promise<Html> {
  const best = bestBoxRow(evaluation);
  if (best === undefined || best.examples.length === 0) return nothing;
  const items: Html[] = [];
  for (const example of best.examples) items.push(await item(example, best.method, limits));
  return html`<section><h2>Boxes</h2>
<p>Found by ${best.localisers.join(' + ')}; wrong ones first.
<span class="key truth">true box</span> <span class="key found">box found</span></p>
<ul class="pictures wide">
${items}</ul></section>`;
}

// --- helpers ---

async function item(
  example: LocalisationExample,
  method: LocalisationRow['method'],
  limits: ImageLimits,
): Promise<Html> {
  const { name, path, width, height, label, truth, guesses, right } = example;
  const picture = await pictureOf(path, longestSide, limits);
  // The guess that counts: that of the true class, or else the first.
  const guess = guesses.find((one) => one.label === label) ?? guesses[0];
  const size = picture ?? { width: longestSide, height: Math.round((longestSide * height) / width) };
  const drawn = html`<svg role="img" aria-label="${name}" viewBox="0 0 ${width} ${height}" width="${size.width}" height="${size.height}">
${picture ? html`<image href="${dataUri(picture)}" width="${width}" height="${height}" preserveAspectRatio="none"/>` : nothing}
${rectangle(truth, 'truth')}${guess ? rectangle(guess.box, 'found') : nothing}</svg>`;
  const verdict = right ? 'right' : 'wrong';
  const answer = guess
    ? `${guessed(guess, method)}, IoU ${intersectionOverUnion(boxOf(guess.box), boxOf(truth)).toFixed(2)}`
    : 'no box';
  return html`<li>${drawn}<p><strong>${label}</strong>: <span class="${verdict}">${verdict}</span></p>
<p>${answer}</p><p class="file">${name}</p></li>
`;
}

/** Central crops are asked for the box of the true class: nobody has guessed it. */
function guessed({ label, probability }: RankedGuess, method: LocalisationRow['method']): string {
  return method === 'centralCrop' ? 'class known' : `${label} ${percent(probability)}`;
}

/** Twice, the wider one as a rim that is seen on any picture. */
function rectangle([x, y, width, height]: PixelBox, kind: 'truth' | 'found'): Html {
  // A network may answer a box turned inside out.
  const at = html`x="${round(x)}" y="${round(y)}" width="${round(Math.max(0, width))}" height="${round(Math.max(0, height))}"`;
  return html`<rect class="rim" ${at}/><rect class="${kind}" ${at}/>`;
}

function round(pixels: number): string {
  return pixels.toFixed(1);
}
