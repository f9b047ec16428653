import { type Html, html } from './html.ts';

/** A table for eyes and screen readers. Columns whose cells are all numbers or shares stand to the right. */
export function table(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): Html {
  const kinds = columns.map((_, column) => kindOf(rows.map((row) => row[column]!)));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((title, i) => html`<th scope="col" class="${kinds[i]!}">${title}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map((cell, i) => html`<td class="${kinds[i]!}">${cell}</td>`)}</tr>\n`)}</tbody>
</table></div>
`;
}

// --- helpers ---

/** Longest text in characters that stays on one line. */
const longest = 40;

function kindOf(cells: readonly string[]): 'number' | 'text' | 'long' {
  if (cells.every((cell) => /^[\d,.]+( %)?$/.test(cell))) return 'number';
  return cells.some((cell) => cell.length > longest) ? 'long' : 'text';
}
