import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Evaluation } from '../../src/evaluation/evaluation.ts';
import { runEvaluation } from '../../src/evaluation/run.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { createOracle, type Place } from './oracle.ts';
import {
  ensembles,
  evaluateHere,
  runs,
  type TinyImage,
  type TinyNetwork,
  tinyJob,
  writeTinyDataset,
  writeTinyNetworks,
} from './tiny.ts';

const root = temporaryFolder();
let images: TinyImage[];
beforeAll(async () => {
  images = await writeTinyDataset(root);
  await writeTinyNetworks(root);
});

/** All networks by their names in an evaluation. */
const networks = new Map<string, TinyNetwork>([
  ...Object.entries(ensembles).flatMap(([ensemble, members]) =>
    members.map((network) => [`${ensemble}/${network.name}`, network] as const),
  ),
  // A single ensemble's have no prefix.
  ...ensembles.mine.map((network) => [network.name, network] as const),
  ...runs.map((network) => [network.name, network] as const),
]);

const shares = ({ top1, top5, meanPerClass, perClass }: Evaluation['classification'][0]) => ({
  top1,
  top5,
  meanPerClass,
  perClass,
});

/** What the mistakes and the confusions of a row say of each image that is wrong: there are few enough for all. */
function checkMistakes(row: Evaluation['classification'][0], places: readonly Place[]): void {
  const wrong = places.filter(({ place }) => place > 0);
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
  expect(
    row.mistakes
      .map(({ name, label, rank, guesses }) => ({ name, label, place: rank, first: guesses[0]!.label }))
      .sort(byName),
  ).toEqual([...wrong].sort(byName));
  const pairs = row.confusions.flatMap(({ label, takenFor }) =>
    takenFor.flatMap((answer) => new Array<string>(answer.images).fill(`${label} for ${answer.label}`)),
  );
  expect(pairs.sort()).toEqual(wrong.map(({ label, first }) => `${label} for ${first}`).sort());
}

/** Rows of a table, a line each: `mine/a@32,48 + c@48 dense flip`. */
function lines(evaluation: Evaluation, paper: string): string[] {
  return evaluation.comparisons
    .filter((comparison) => comparison.paper === paper)
    .flatMap(({ kind, rows }) =>
      rows.map((row) => {
        if (kind === 'classification') {
          const { members, view, flip } = evaluation.classification[row]!;
          const names = members.map(({ network, scales }) => `${network}@${scales}`);
          return `${names.join(' + ')} ${view}${flip ? ' flip' : ''}`;
        }
        const { localisers, classifiers, scales } = evaluation.localisation[row]!;
        return `${localisers.join(' + ')}@${scales} by ${classifiers.join(' + ')}`;
      }),
    );
}

/** Compares every row with the oracle: the shares, and what is said of single images. */
async function checkByOracle(evaluation: Evaluation, images: readonly TinyImage[]): Promise<void> {
  const oracle = await createOracle(networks, images);
  const imageOf = (name: string): TinyImage => images.find((image) => image.name === name)!;
  for (const row of evaluation.classification) {
    expect(shares(row)).toEqual(await oracle.classification(row));
    checkMistakes(row, await oracle.places(row));
    for (const { name, guesses } of row.mistakes) {
      const posteriors = await oracle.posteriors(imageOf(name), row);
      for (const { label, probability } of guesses)
        expect(probability).toBeCloseTo(posteriors.get(label)!, 5);
    }
  }
  for (const row of evaluation.localisation) {
    expect(row).toMatchObject(await oracle.localisation(row));
    for (const { name, guesses } of row.examples) {
      for (const { label, box } of guesses) {
        const expected = await oracle.box(imageOf(name), row, label);
        box.forEach((side, i) => {
          expect(side).toBeCloseTo(expected[i]!, 3);
        });
      }
    }
  }
}

const different = <Value>(values: readonly Value[]): number => new Set(values).size;

// The reference engine takes its time on a busy machine.
describe('an evaluation', { timeout: 300_000 }, () => {
  it('of ensembles and runs, of different crops and orders of labels, is what the oracle says', async () => {
    const evaluation = (await runEvaluation(
      tinyJob(root, {
        ensembles: ['mine', 'big@1'],
        runs: runs.map(({ name }) => join(root, 'runs', name)),
        localise: true,
      }),
    ))!;
    await checkByOracle(evaluation, images);
    expect(evaluation.data).toMatchObject({ images: 12, boxes: 9, classes: 3 });
    // Numbers that could be wrong: neither all right nor all alike.
    expect(different(evaluation.classification.map(({ top1 }) => top1))).toBeGreaterThan(3);
    expect(different(evaluation.classification.map(({ top5 }) => top5))).toBeGreaterThan(3);
    expect(different(evaluation.localisation.map(({ trueClassError }) => trueClassError))).toBeGreaterThan(3);
    expect(different(evaluation.localisation.map(({ top5Error }) => top5Error))).toBeGreaterThan(3);

    expect(lines(evaluation, 'Table 3')).toEqual([
      'mine/a@48 dense flip',
      'c@48 dense flip',
      'big/a@64 dense flip',
      'mine/b@48 dense flip',
    ]);
    expect(lines(evaluation, 'Table 4')).toEqual([
      'mine/a@32,48,64 dense flip',
      'c@32,48,80 dense flip',
      'big/a@64,96 dense flip',
      'mine/b@32,48,64 dense flip',
    ]);
    // Networks of other classes are never taken together.
    expect(lines(evaluation, 'Table 6')).toEqual([
      'mine/a@32,48,64 + c@32,48,80 dense flip',
      'mine/a@32,48,64 + mine/b@32,48,64 dense flip',
      'c@32,48,80 + mine/b@32,48,64 dense flip',
      'mine/a@32,48,64 + c@32,48,80 + mine/b@32,48,64 dense flip',
    ]);
    expect(lines(evaluation, 'Table 8')).toEqual(['scr@48 by ', 'mine/boxes@48 by ', 'pcr@48 by ']);
    expect(lines(evaluation, 'Table 9')).toEqual([
      'mine/boxes@48 by mine/a + mine/b',
      'mine/boxes@32,48,64 by mine/a + mine/b',
      'scr@48 by c',
      'scr@32,48,80 by c',
      'pcr@48 by c',
      'pcr@32,48,80 by c',
      'scr + pcr@48 by c',
      'scr + pcr@32,48,80 by c',
    ]);
  });

  it('of the whole picture, crops and both is what the oracle says', async () => {
    const views = ['dense', 'crops', 'both'] as const;
    const few = await writeTinyDataset(join(root, 'few'), 2); // a hundred crops an image and network
    const options = tinyJob(root, { data: join(root, 'few', 'data'), view: views, scales: [32, 48] });
    const evaluation = (await runEvaluation(options))!;
    await checkByOracle(evaluation, few);
    const ofViews = (row: string): string[] => views.map((view) => `${row} ${view} flip`);
    expect(lines(evaluation, 'Table 5')).toEqual([...ofViews('a@32,48'), ...ofViews('b@32,48')]);
    expect(lines(evaluation, 'Table 6')).toEqual(ofViews('a@32,48 + b@32,48'));
    expect(
      different(evaluation.classification.map(({ perClass }) => JSON.stringify(perClass))),
    ).toBeGreaterThan(2);
  });

  it('lets each network see each picture once, whatever the number of rows', async () => {
    const seen = new Map<string, number>();
    const views = ['dense', 'both', 'crops'] as const;
    await evaluateHere(
      tinyJob(root, { networks: ['a'], view: views, localise: true }),
      ({ networks: ids, count }) => {
        for (const id of ids) seen.set(id, (seen.get(id) ?? 0) + count);
      },
    );
    // Three scales of twelve images: the whole picture, and the grid.
    expect(seen.get('a')).toBe(12 * 3 * (1 + 25));
    // Of the nine images with a box three scales, and the central crop.
    expect(seen.get('boxes')).toBe(9 * (3 + 1));
  });
});
