import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluationTables } from '../../src/commands/cli/evaluation-text.ts';
import type { EvaluationOptions } from '../../src/evaluation/run.ts';
import { waves } from '../inference/tiny.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { put } from '../training/pictures.ts';
import { evaluateHere, type TinyImage, tinyJob, writeTinyDataset, writeTinyNetworks } from './tiny.ts';

const root = temporaryFolder();
let images: TinyImage[];
beforeAll(async () => {
  images = await writeTinyDataset(root);
  await writeTinyNetworks(root);
});

const small = (changes: Partial<EvaluationOptions> = {}): EvaluationOptions =>
  tinyJob(root, { networks: ['a'], scales: [32], ...changes });
const runOf = (name: string): string => join(root, 'runs', name);

/** A data set of the given files, without boxes. */
async function dataset(name: string, files: readonly string[]): Promise<string> {
  for (const [i, file] of files.entries()) {
    put(join(root, name, 'val', file), Buffer.from(await waves(48, 48, i)));
  }
  return join(root, name);
}

describe('an evaluation', () => {
  it('leaves out, and counts, classes that a network does not know and images that cannot be read', async () => {
    const data = await dataset('odd', ['wasp/0.png', 'wasp/1.png', 'zebra/0.png']);
    for (const { name, path } of images) put(join(data, 'val', name), readFileSync(path));
    put(join(data, 'val/ant/text.png'), 'not a picture');
    put(join(data, 'val/bee/half.png'), Buffer.from(await waves(48, 48)).subarray(0, 400));
    const evaluation = (await evaluateHere(small({ data })))!;
    expect(evaluation.skipped).toEqual({
      unknownClasses: [
        { label: 'wasp', images: 2 },
        { label: 'zebra', images: 1 },
      ],
      unreadable: [
        { name: 'ant/text.png', reason: expect.any(String) },
        { name: 'bee/half.png', reason: expect.any(String) },
      ],
    });
    const plain = (await evaluateHere(small()))!;
    expect(evaluation.data).toMatchObject({ images: 12, classes: 3 });
    expect(evaluation.classification.map(({ perClass }) => perClass)).toEqual(
      plain.classification.map(({ perClass }) => perClass),
    );
    expect(evaluationTables(evaluation)).toContain(
      'left out: 3 images of classes that not all networks know: wasp, zebra',
    );
    expect(evaluationTables(evaluation)).toContain('left out: 2 images that cannot be read');
  });

  it('compares on what all networks know', async () => {
    const data = await dataset('shared', ['ant/0.png', 'eel/0.png', 'yak/0.png']);
    const both = tinyJob(root, { data, ensembles: ['mine', 'big'] });
    const { skipped } = (await evaluateHere(both))!;
    expect(skipped.unknownClasses.map(({ label }) => label)).toEqual(['eel', 'yak']);
  });

  it('of box networks alone has their tables only', async () => {
    const runs = [runOf('scr'), runOf('pcr')];
    const evaluation = (await evaluateHere(tinyJob(root, { ensembles: [], runs, localise: true })))!;
    expect(evaluation.classification).toEqual([]);
    expect(evaluation.data).toMatchObject({ images: 9, boxes: 9 }); // the other three have none
    expect(evaluation.comparisons.map(({ paper }) => paper)).toEqual(['Table 8']);
    expect(evaluation.localisation.map(({ localisers }) => localisers)).toEqual([['scr'], ['pcr']]);
    const [, header, scr, pcr] = evaluationTables(evaluation).split('\n');
    expect(header).toMatch(/^boxes by +regression +layers tuned +S train +Q test +error, class known$/);
    expect(scr).toMatch(/^scr +SCR +1st and 2nd FC +48 +48 /);
    expect(pcr).toMatch(/^pcr +PCR +all +48 +48 /);
  });

  it('lends box networks the classifiers of an ensemble of their crop', async () => {
    const options = tinyJob(root, { ensembles: ['big', 'mine'], runs: [runOf('scr')], localise: true });
    const { localisation } = (await evaluateHere(options))!;
    const whole = localisation.filter(({ method }) => method === 'wholeImage');
    expect(whole.filter(({ localisers: [name] }) => name === 'scr')).toMatchObject([
      { classifiers: ['mine/a', 'mine/b'] },
      { classifiers: ['mine/a', 'mine/b'] },
    ]);
  });

  it.each<[string, string, () => Promise<EvaluationOptions>, RegExp]>([
    [
      'none of the classes is known',
      'INVALID_DATASET',
      async () => small({ data: await dataset('strange', ['wasp/0.png', 'zebra/0.png']) }),
      /received wasp, zebra; a knows fox, cat/,
    ],
    [
      'no image can be read',
      'INVALID_DATASET',
      async () => {
        put(join(root, 'broken/val/ant/0.png'), 'not a picture');
        return small({ data: join(root, 'broken') });
      },
      /expected images that can be read, received ant\/0.png: /,
    ],
    [
      'a class is empty',
      'INVALID_DATASET',
      async () => {
        const data = await dataset('empty', ['ant/0.png']);
        mkdirSync(join(data, 'val', 'bee'));
        return small({ data });
      },
      /every class folder .*bee has none/,
    ],
    [
      'boxes are asked for and there are none',
      'INVALID_OPTION',
      async () => small({ data: await dataset('boxless', ['ant/0.png']), localise: true }),
      /expected images with boxes/,
    ],
    [
      'boxes are asked for and no network answers any',
      'INVALID_OPTION',
      async () => tinyJob(root, { ensembles: ['big'], localise: true }),
      /expected a box network/,
    ],
    [
      'a network is asked for that is not there',
      'INVALID_OPTION',
      async () => small({ networks: ['a', 'x'] }),
      /expected some of a, b; received "x"/,
    ],
    [
      'networks have one name',
      'INVALID_OPTION',
      async () => tinyJob(root, { runs: [runOf('c'), `c=${runOf('scr')}`] }),
      /received "c" twice/,
    ],
    [
      'an ensemble has two versions',
      'INVALID_WEIGHTS',
      async () => tinyJob(root, { ensembles: ['mine@1@2'] }),
      /expected NAME@VERSION, received "mine@1@2"/,
    ],
    [
      'an ensemble is named twice',
      'INVALID_OPTION',
      async () => tinyJob(root, { ensembles: ['mine', 'mine@1'] }),
      /--ensemble: expected different ones; received mine@1 twice/,
    ],
    [
      'a scale is larger than a picture should be',
      'INVALID_OPTION',
      async () => small({ scales: [48, 97] }),
      /--scales: expected integers from 32 \(the crop of a\) to 96; received 97/,
    ],
    [
      'a scale is smaller than a crop',
      'INVALID_OPTION',
      async () => tinyJob(root, { ensembles: ['mine', 'big'], scales: [48] }),
      /--scales: expected integers from 64 \(the crop of big\/a\) to 192; received 48/,
    ],
  ])('is refused where %s', async (_, code, options, message) => {
    await expect(evaluateHere(await options())).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});
