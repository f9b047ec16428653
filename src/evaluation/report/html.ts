/** Markup that may stand in a page as it is. */
export interface Html {
  readonly markup: string;
}

type Value = string | number | Html | readonly Html[];

/** Template of markup: values that are not markup themselves are escaped, in text and in quoted attributes. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  const parts = strings.map((text, i) => (i < values.length ? text + markupOf(values[i]!) : text));
  return { markup: parts.join('') };
}

/** Markup that was made elsewhere. */
export function raw(markup: string): Html {
  return { markup };
}

export const nothing = raw('');

// --- helpers ---

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function markupOf(value: Value): string {
  if (typeof value === 'number') return value.toString();
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (character) => entities[character]!);
  return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('');
}
