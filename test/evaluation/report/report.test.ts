import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { tablesOf } from '../../../src/evaluation/comparison-tables.ts';
import type { Evaluation } from '../../../src/evaluation/evaluation.ts';
import { renderReport, writeReport } from '../../../src/evaluation/report/report.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { evaluateHere, type TinyImage, tinyJob, writeTinyDataset, writeTinyNetworks } from '../tiny.ts';

const root = temporaryFolder();
let images: TinyImage[];
let evaluation: Evaluation;
let page: string;
beforeAll(async () => {
  images = await writeTinyDataset(root, 2);
  await writeTinyNetworks(root);
  const runs = ['c', 'scr', 'pcr'].map((name) => join(root, 'runs', name));
  evaluation = (await evaluateHere(tinyJob(root, { runs, scales: [32, 40], localise: true })))!;
  page = await render();
});

const options = {
  command: 'verydeep evaluate --data data',
  time: new Date('2026-11-25T16:30:00Z'),
  limits: { maxFileBytes: 1e6, maxPixels: 1e6 },
};
const render = (changes: Partial<Evaluation> = {}): Promise<string> =>
  renderReport({ ...evaluation, ...changes }, options);

const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;
const escaped = (text: string): string =>
  text.replace(
    /[&<>"']/g,
    (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[character]!,
  );
/** `<h2>` of the sections that are there. */
const sections = (page: string): string[] =>
  [...page.matchAll(/<h2>([^<]+)<\/h2>/g)].map(([, title]) => title!);

/** An evaluation of so many classes whose one row is made up: what the page makes of it is what counts. */
function many(classes: number, labelOf: (i: number) => string): Partial<Evaluation> {
  const labels = Array.from({ length: classes }, (_, i) => labelOf(i));
  const row = evaluation.classification[0]!;
  const perClass = labels.map((label, i) => ({ label, images: 2, top1: (i % 3) / 2, top5: 1 }));
  const takenFor = labels.slice(1).map((label) => ({ label, images: 1 }));
  const confusions = labels.slice(0, 10).map((label) => ({ label, images: 2, top1: 0, takenFor }));
  const mistakes = images.slice(0, 2).map(({ name, path }) => ({
    ...{ name, path, label: labels[0]!, rank: 1 },
    guesses: [{ label: labels[1]!, probability: 0.9 }],
  }));
  return {
    classification: evaluation.classification.map(() => ({ ...row, perClass, confusions, mistakes })),
  };
}

describe('the report', () => {
  it('says what was measured, by what and when', () => {
    for (const text of [options.command, '2026-11-25 16:30 UTC', evaluation.data.digest])
      expect(page).toContain(text);
    for (const { name, source } of evaluation.networks) {
      expect(page).toContain(`<td class="text">${name}</td>`);
      expect(page).toContain(`>${source.digest.slice(7, 15)}…<`);
    }
  });

  it('has every row of every table, cell by cell', () => {
    for (const { title, paper, columns, rows } of tablesOf(evaluation)) {
      const caption = `<caption>${title} (paper: ${paper})</caption>`;
      expect(page).toContain(caption);
      const body = page.slice(page.indexOf(caption), page.indexOf('</table>', page.indexOf(caption)));
      for (const column of columns) expect(body).toContain(`>${escaped(column)}</th>`);
      const cells = [...body.matchAll(/<td[^>]*>([^<]*)<\/td>/g)].map(([, cell]) => cell);
      expect(cells).toEqual(rows.flat().map(escaped));
    }
  });

  it('needs nothing from elsewhere and runs nothing', () => {
    const addresses = [...page.matchAll(/\b(?:src|href|action|data|poster)="([^"]{0,40})/g)].map(
      ([, address]) => address!,
    );
    expect(addresses.length).toBeGreaterThan(0);
    expect(addresses.filter((address) => !address.startsWith('data:image/jpeg;base64,'))).toEqual([]);
    expect(page).not.toMatch(/<script|<link|<iframe|<object|@import|url\(|\son\w+=|javascript:/i);
    const elsewhere = [...page.matchAll(/https?:\/\/[^"'\s<]+/g)].map(([address]) => address);
    expect(
      elsewhere.filter((address) => !/^http:\/\/www\.w3\.org\/(2000\/svg|1999\/xlink)$/.test(address)),
    ).toEqual([]);
    expect(page).toContain(`content="default-src 'none'; img-src data:;`);
  });

  it('draws errors, classes and confusions, and tells in words what each plot is', () => {
    expect(sections(page)).toEqual([
      'Tables',
      'Error by depth and scale',
      'Classes',
      'Confusion of the worst classes',
      'Mistakes',
      'Boxes',
    ]);
    const figures = [...page.matchAll(/<figure>.*?<\/figure>/gs)].map(([figure]) => figure);
    expect(figures).toHaveLength(5); // errors of classes and boxes, bars of classes and boxes, confusions
    for (const figure of figures)
      expect(figure).toMatch(/<svg role="img" aria-label="[^"]+".*<path .*<figcaption>[^<]+/s);
    // Two measures of each row that is drawn.
    const drawn = evaluation.classification.filter(({ view, flip }) => view === 'dense' && flip);
    const marks = figures[0]!.match(/<g class="mark-symbol role-mark.*?<\/g>/gs)!.join('');
    expect(count(marks, /<path /g)).toBe(2 * drawn.length);
    expect(count(page, /<ul class="pictures">.*?<\/ul>/gs)).toBe(1);
  });

  it('shows mistakes and boxes as small pictures, with both boxes', () => {
    const boxRow = evaluation.localisation.filter(({ method }) => method === 'wholeImage');
    const best = boxRow.reduce((a, b) => (b.top5Error! < a.top5Error! ? b : a));
    const examples = page.slice(page.indexOf('<h2>Boxes</h2>'));
    expect(count(examples, /<image href="data:image\/jpeg;base64,/g)).toBe(best.examples.length);
    for (const { truth } of best.examples) {
      const [x, y, width, height] = truth.map((side) => side.toFixed(1));
      expect(examples).toContain(
        `<rect class="truth" x="${x}" y="${y}" width="${width}" height="${height}"/>`,
      );
    }
    expect(count(examples, /<rect class="found"/g)).toBe(
      best.examples.filter(({ guesses }) => guesses.length > 0).length,
    );
  });

  it('draws the curves of runs that have a log, each epoch as it was in the end', async () => {
    expect(sections(page)).not.toContain('Training');
    const log = join(root, 'runs/c/log.jsonl');
    const epoch = (n: number, accuracy: number) =>
      `${JSON.stringify({ type: 'epoch', epoch: n, rate: 0.01, trainingLoss: 3 - n, best: true, loss: 4 - n, accuracy })}\n`;
    appendFileSync(
      log,
      `${epoch(1, 0.25)}{"type":"step","epoch":2,"step":1}\n${epoch(2, 0.5)}${epoch(2, 0.75)}{"type":"epo`,
    );
    const trained = await render();
    const many = Array.from({ length: 10 }, (_, i) => ({
      ...evaluation.networks.find(({ name }) => name === 'c')!,
      name: `a-network-with-a-long-name-${i}`,
    }));
    const crowded = await render({ networks: [...evaluation.networks, ...many] });
    rmSync(log);
    expect(sections(trained)).toContain('Training');
    const accuracy = trained.match(/aria-label="Top-1 accuracy by epoch of c".*?<\/svg>/s)![0];
    expect(count(accuracy, /stroke="var\(--series-1\)"/g)).toBeGreaterThan(0);
    expect(trained).toContain('aria-label="Loss by epoch of c"');

    const ofMany = crowded.match(/<svg [^>]*aria-label="Top-1 accuracy by epoch of c, [^>]*>/)![0];
    // The legend makes the plot higher, not wider.
    expect(Number(/ width="(\d+)"/.exec(ofMany)![1])).toBeLessThan(700);
    expect(crowded).toMatch(/<h1>\d+ networks on /);
  });

  it.each([
    '<script>alert(1)</script>',
    `"><img src=x onerror='alert(1)'>`,
    '&lt;b&gt; &amp; {{y}}',
    'a\u202e\u0000\n',
  ])('escapes a class of the name %j', async (label) => {
    const rest = many(3, (i) => `${label}${i}`);
    const page = await render(rest);
    expect(count(page, /<script|<img src=x/g)).toBe(0);
    expect(page).toContain(`<td class="text">${escaped(`${label}0`)}</td>`);
    expect(page).toContain(`<strong>${escaped(`${label}0`)}</strong>`);
  });

  it.each([
    [2, 1],
    [40, 1],
    [1000, 2],
  ])('draws %i classes in %i plots and has all of them as a table', async (classes, plots) => {
    const page = await render({ ...many(classes, (i) => `class-${i}.`), localisation: [], comparisons: [] });
    const part = page.slice(page.indexOf('<h2>Classes</h2>'), page.indexOf('<h2>Confusion'));
    expect(count(part, /<figure>/g)).toBe(plots);
    for (let i = 0; i < classes; i++) expect(part).toContain(`<td class="text">class-${i}.</td>`);
    expect(page.length).toBeLessThan(600_000);
  });

  it('leaves out what there is nothing of', async () => {
    const perfect = evaluation.classification.map((row) => ({ ...row, confusions: [], mistakes: [] }));
    const comparisons = evaluation.comparisons.filter(({ kind }) => kind === 'classification');
    expect(sections(await render({ classification: perfect, localisation: [], comparisons }))).toEqual([
      'Tables',
      'Error by depth and scale',
      'Classes',
    ]);
    const boxesOnly = evaluation.comparisons.filter(({ kind }) => kind === 'localisation');
    expect(sections(await render({ classification: [], comparisons: boxesOnly }))).toEqual([
      'Tables',
      'Error by depth and scale',
      'Classes',
      'Boxes',
    ]);
  });

  it('goes on without an image that has gone, and says so', async () => {
    const classification = evaluation.classification.map((row) => ({
      ...row,
      mistakes: row.mistakes.map((mistake) => ({ ...mistake, path: `${mistake.path}.gone` })),
    }));
    expect(count(await render({ classification }), /the image is not there any more/g)).toBeGreaterThan(0);
  });

  it('says what was left out', async () => {
    const skipped = {
      unknownClasses: [{ label: 'wasp', images: 2 }],
      unreadable: [{ name: 'ant/half.png', reason: 'expected a whole PNG image' }],
    };
    const page = await render({ skipped });
    expect(page).toContain('left out: 2 images of classes that not all networks know: wasp');
    expect(page).toContain('left out: 1 image that cannot be read: ant/half.png');
  });

  it('is written where it is asked for', async () => {
    const path = join(root, 'report.html');
    await writeReport(path, evaluation, options.command);
    expect(readFileSync(path, 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
  });
});
