import { palette } from './palette.ts';

/** The page's looks: light or dark as the reader's system is, narrow or wide, on screen or on paper. */
export const style = `
:root {
  color-scheme: light dark;
  ${coloursOf('light')} --text: #1d2430; --muted: #5a6472; --line: #d5dae1; --soft: #f3f5f8;
  --right: #1b7a43; --wrong: #b42318;
}
@media (prefers-color-scheme: dark) {
  :root {
    ${coloursOf('dark')} --text: #e4e8ee; --muted: #9aa5b4; --line: #39424f; --soft: #1e232b;
    --right: #62c48d; --wrong: #f28d7b;
  }
}
@media print {
  :root {
    color-scheme: light;
    ${coloursOf('light')} --text: #000; --muted: #444; --line: #bbb; --soft: #fff;
    --right: #1b7a43; --wrong: #b42318;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 70rem; padding: 1.5rem 1rem 4rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
p { margin: .5rem 0; }
code { font: .85em/1.5 ui-monospace, monospace; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
dt { color: var(--muted); }
dd { margin: 0; }
.scroll { /* a shadow where there is more to the left or right */
  overflow-x: auto;
  background:
    linear-gradient(to right, var(--back) 50%, transparent) left / 3rem 100% no-repeat local,
    linear-gradient(to left, var(--back) 50%, transparent) right / 3rem 100% no-repeat local,
    linear-gradient(to right, var(--line), transparent) left / 1rem 100% no-repeat scroll,
    linear-gradient(to left, var(--line), transparent) right / 1rem 100% no-repeat scroll;
}
.tall { max-height: 30rem; overflow-y: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-size: .9rem; overflow-wrap: normal; }
caption { text-align: left; font-weight: 600; padding-bottom: .25rem; white-space: nowrap; }
th, td { padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--muted); font-weight: 500; vertical-align: bottom; }
.number, .text { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.long { min-width: 16rem; overflow-wrap: anywhere; }
figure { margin: 1rem 0 1.5rem; }
figcaption, .note, .file { color: var(--muted); font-size: .85rem; }
figure svg { display: block; max-width: 100%; height: auto; }
summary { cursor: pointer; }
.pictures { list-style: none; margin: 0; padding: 0; display: grid; gap: 1.25rem 1rem; grid-template-columns: repeat(auto-fill, minmax(11.5rem, 1fr)); font-size: .9rem; }
.pictures.wide { grid-template-columns: repeat(auto-fill, minmax(16.5rem, 1fr)); }
.pictures p { margin: .15rem 0; }
.pictures ol { margin: 0; padding-left: 1.25rem; }
.pictures img, .pictures svg { display: block; max-width: 100%; height: auto; background: var(--soft); }
.gone { width: 11rem; padding: 2rem 1rem; background: var(--soft); color: var(--muted); }
rect { fill: none; vector-effect: non-scaling-stroke; stroke-width: 2; }
rect.rim { stroke: #000; stroke-width: 4; opacity: .6; }
rect.truth { stroke: #7fe08a; stroke-dasharray: 6 4; }
rect.found { stroke: #ffb347; }
.key { display: inline-block; margin-left: .75rem; padding: 0 .5rem; border: 2px solid #d98714; }
.key.truth { border: 2px dashed #3aa84a; }
.right { color: var(--right); }
.wrong { color: var(--wrong); }
@media print {
  .scroll, .tall { overflow: visible; max-height: none; background: none; }
  figure, tr, .scroll, .pictures li { break-inside: avoid; }
  h2, h2 + p, caption, thead { break-after: avoid; }
  details:not([open]) { display: none; }
  table { font-size: .7rem; }
  .text { white-space: normal; }
  th, td { padding-right: .4rem; }
}
`;

// --- helpers ---

function coloursOf(theme: keyof typeof palette): string {
  const { back, series } = palette[theme];
  return [`--back: ${back};`, ...series.map((colour, i) => `--series-${i + 1}: ${colour};`)].join(' ');
}
