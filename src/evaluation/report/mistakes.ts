import type { ImageLimits } from '../../image/limits.ts';
import type { Evaluation, Mistake } from '../evaluation.ts';
import { percent } from '../notes.ts';
import { bestRow, describeRow } from '../rows.ts';
import { type Html, html, nothing } from './html.ts';
import { dataUri, pictureOf } from './picture.ts';

const longestSide = 180;

/** Images that the best row has wrong, with what it says of them. */
export async function mistakes(evaluation: Evaluation, limits: ImageLimits): Promise<Html> {
  const best = bestRow(evaluation);
  if (best === undefined || best.mistakes.length === 0) return nothing;
  const items: Html[] = [];
  for (const mistake of best.mistakes) items.push(await item(mistake, limits));
  return html`<section><h2>Mistakes</h2>
<p>The most confident ones; ${describeRow(best)}.</p>
<ul class="pictures">
${items}</ul></section>`;
}

// --- helpers ---

async function item({ name, path, label, rank, guesses }: Mistake, limits: ImageLimits): Promise<Html> {
  const picture = await pictureOf(path, longestSide, limits);
  const image = picture
    ? html`<img src="${dataUri(picture)}" width="${picture.width}" height="${picture.height}" alt="${name}">`
    : html`<div class="gone">the image is not there any more</div>`;
  const answers = guesses
    .slice(0, 3)
    .map((guess) => html`<li>${guess.label} ${percent(guess.probability)}</li>`);
  return html`<li>${image}<p><strong>${label}</strong>, place ${rank + 1}</p><ol>${answers}</ol><p class="file">${name}</p></li>
`;
}
