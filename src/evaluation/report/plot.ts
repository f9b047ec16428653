import { parse, View } from 'vega';
import { type Config, compile, type TopLevelSpec } from 'vega-lite';
import { type Html, html, raw } from './html.ts';
import { seriesColours } from './palette.ts';

/** Width of a plot's marks in pixels, without axes. */
export const plotWidth = 560;

const text = { labelColor: 'currentColor', titleColor: 'currentColor', labelFontSize: 12, titleFontSize: 12 };

const config: Config = {
  aria: false, // the figure has a label, and its numbers stand in a table
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
    ...text,
    titleFontWeight: 'normal',
    gridColor: 'var(--line)',
    domainColor: 'var(--line)',
    tickColor: 'var(--line)',
    labelLimit: 320,
  },
  legend: { ...text, title: null, orient: 'top', labelLimit: 300, symbolStrokeWidth: 2 },
  header: { ...text, title: null },
  mark: { color: seriesColours[0]! },
  range: { category: seriesColours },
};

/** Draws a Vega-Lite specification as SVG. `label` says what can be seen to those who cannot. */
export async function plot(spec: TopLevelSpec, label: string, caption: string): Promise<Html> {
  const view = new View(parse(compile({ ...spec, config }).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return html`<figure><div class="scroll">${raw(asImage(svg, label))}</div><figcaption>${caption}</figcaption></figure>`;
}

// --- helpers ---

/** One image for a screen reader, whatever it is made of; on a narrow screen it shrinks as far as its text can be read. */
function asImage(svg: string, label: string): string {
  const width = /width="(\d+)"/.exec(svg)![1]!;
  const attributes = html`role="img" aria-label="${label}" style="min-width:min(34rem,${width}px)"`;
  return svg.replace('<svg ', `<svg ${attributes.markup} `);
}
