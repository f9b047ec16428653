import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Listing } from '../../src/datasets/listing.ts';
import { readListing } from '../../src/datasets/read-listing.ts';
import { put } from '../training/pictures.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'verydeep-'));
});
afterEach(() => rmSync(data, { recursive: true }));

const val = (number: number): string => `ILSVRC2012_val_${`${number}`.padStart(8, '0')}`;

const xml = (name: string, xmin: number, ymin: number, xmax: number, ymax: number): string =>
  `<annotation><object><name>${name}</name><bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin>` +
  `<xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox></object></annotation>`;

/** Two classes, one of them with a box in training; three validation images. */
function writeImages(images: string, annotations: string): void {
  for (const name of ['n01440764/n01440764_1.JPEG', 'n02119789/n02119789_7.JPEG'])
    put(join(data, images, 'train', name), '');
  for (const number of [1, 2, 3]) put(join(data, images, 'val', `${val(number)}.JPEG`), '');
  put(join(data, annotations, 'train/n02119789/n02119789_7.xml'), xml('n02119789', 11, 21, 30, 60));
  put(join(data, annotations, 'val', `${val(1)}.xml`), xml('n02119789', 1, 1, 500, 375));
  put(join(data, annotations, 'val', `${val(2)}.xml`), xml('n01440764', 131, 0, 499, 254));
  put(join(data, annotations, 'val', `${val(3)}.xml`), xml('n02119789', 85, 1, 499, 272));
}

const devkit = (labels: string, map: string | undefined, folder = ''): void => {
  put(join(data, folder, 'ILSVRC2012_validation_ground_truth.txt'), labels);
  if (map !== undefined) put(join(data, folder, 'map_clsloc.txt'), map);
};
const map = 'n02119789 1 kit_fox\nn02100735 2 English_setter\nn01440764 449 tench\n';

const summary = ({ labels, samples }: Listing) =>
  samples.map(({ name, label, box }) => [name, labels[label], ...(box ? [box] : [])]);

const valWithBoxes = [
  [`${val(2)}.JPEG`, 'n01440764', [130, 0, 369, 254]],
  [`${val(1)}.JPEG`, 'n02119789', [0, 0, 500, 375]],
  [`${val(3)}.JPEG`, 'n02119789', [84, 0, 415, 272]],
];
const trainWithBoxes = [
  ['n01440764/n01440764_1.JPEG', 'n01440764'],
  ['n02119789/n02119789_7.JPEG', 'n02119789', [10, 20, 20, 40]],
];

describe('ILSVRC, development kit', () => {
  beforeEach(() => writeImages('', 'Annotations'));

  it.each(['', 'ILSVRC2012_devkit_t12/data', 'devkit/data'])(
    'takes labels from the list in "%s"',
    async (folder) => {
      devkit('1\n449\n1\n', map, folder);
      expect(summary(await readListing(data, 'val', { boxes: true }))).toEqual(valWithBoxes);
      expect(summary(await readListing(data, 'train', { boxes: true }))).toEqual(trainWithBoxes);
    },
  );

  it('labels images by the number in their names, so that some may be missing', async () => {
    devkit('1\n449\n2\n', map);
    rmSync(join(data, 'val', `${val(1)}.JPEG`));
    expect(summary(await readListing(data, 'val', { boxes: false }))).toEqual([
      [`${val(2)}.JPEG`, 'n01440764'],
      [`${val(3)}.JPEG`, 'n02100735'],
    ]);
  });

  it('takes labels from the XML files where there is no list', async () => {
    expect(summary(await readListing(data, 'val', { boxes: true }))).toEqual(valWithBoxes);
  });

  it('does not open XML files for classes alone', async () => {
    devkit('1\n449\n1\n', map);
    put(join(data, 'Annotations/val', `${val(1)}.xml`), 'no annotation');
    expect((await readListing(data, 'val', { boxes: false })).samples.length).toBe(3);
    await expect(readListing(data, 'val', { boxes: true })).rejects.toMatchObject({
      code: 'INVALID_DATASET',
      message: expect.stringContaining(`${val(1)}.xml:1: expected an annotation in XML`),
    });
  });

  it('leaves out boxes of another class than the image', async () => {
    put(join(data, 'Annotations/train/n02119789/n02119789_7.xml'), xml('n01440764', 1, 2, 3, 4));
    const { samples } = await readListing(data, 'train', { boxes: true });
    expect(samples.map(({ box }) => box)).toEqual([undefined, undefined]);
  });

  const refusals: [string, () => void, RegExp][] = [
    [
      'a list without the map of its numbers',
      () => devkit('1\n449\n1\n', undefined),
      /expected .*map_clsloc.txt beside it/,
    ],
    [
      'a map that is not one',
      () => devkit('1\n449\n1\n', 'n02119789 kit_fox'),
      /map_clsloc.txt:1: expected n02119789 1/,
    ],
    [
      'a number without a class',
      () => devkit('1\n450\n1\n', map),
      /ground_truth.txt:2: label "450" has no class/,
    ],
    [
      'fewer labels than images',
      () => devkit('1\n449\n', map),
      /expected images named .*00000002, received .*00000003/,
    ],
    [
      'an image without a label',
      () => rmSync(join(data, 'Annotations/val', `${val(3)}.xml`)),
      /or the class of ILSVRC2012_val_00000003.JPEG: in a LOC_val_solution.csv or/,
    ],
  ];
  it.each(refusals)('refuses %s', async (_, spoil, message) => {
    spoil();
    await expect(readListing(data, 'val', { boxes: false })).rejects.toMatchObject({
      code: 'INVALID_DATASET',
      message: expect.stringMatching(message),
    });
  });
});

describe('ILSVRC, CLS-LOC tree', () => {
  it.each(['', 'ILSVRC'])('takes labels and boxes from XML files in "%s"', async (root) => {
    writeImages(join(root, 'Data/CLS-LOC'), join(root, 'Annotations/CLS-LOC'));
    expect(summary(await readListing(data, 'val', { boxes: true }))).toEqual(valWithBoxes);
    expect(summary(await readListing(data, 'train', { boxes: true }))).toEqual(trainWithBoxes);
  });

  it('takes labels and boxes from LOC_SPLIT_solution.csv', async () => {
    writeImages('ILSVRC/Data/CLS-LOC', 'elsewhere');
    put(
      join(data, 'LOC_val_solution.csv'),
      `ImageId,PredictionString\n${val(2)},n01440764 131 0 499 254 n01440764 1 1 2 2 \n` +
        `${val(1)},n02119789 1 1 500 375 \n${val(3)},n02119789 85 1 499 272 \n`,
    );
    put(
      join(data, 'LOC_train_solution.csv'),
      'ImageId,PredictionString\nn02119789_7,n02119789 11 21 30 60 \n',
    );
    expect(summary(await readListing(data, 'val', { boxes: true }))).toEqual(valWithBoxes);
    expect(summary(await readListing(data, 'train', { boxes: true }))).toEqual(trainWithBoxes);
    put(join(data, 'LOC_val_solution.csv'), `ImageId,PredictionString\n${val(2)},n01440764 131 0 499\n`);
    await expect(readListing(data, 'val', { boxes: true })).rejects.toThrow(
      /LOC_val_solution.csv:2: expected WNID XMIN YMIN XMAX YMAX, received "n01440764 131 0 499"/,
    );
  });
});
