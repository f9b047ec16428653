import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readListing } from '../../src/datasets/read-listing.ts';

let data: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'verydeep-'));
  for (const name of ['train/zebra/a.jpg', 'train/Ant/2.png', 'train/Ant/1.JPG', 'train/Ant/notes.txt'])
    put(name);
});
afterEach(() => rmSync(data, { recursive: true }));

function put(name: string, content = ''): void {
  mkdirSync(join(data, name, '..'), { recursive: true });
  writeFileSync(join(data, name), content);
}

const metadata = (...lines: unknown[]): void =>
  put('train/metadata.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'));

describe('image folder', () => {
  it('lists images by class, classes sorted by code units', async () => {
    const { labels, samples } = await readListing(data, 'train', { boxes: true });
    expect(labels).toEqual(['Ant', 'zebra']);
    expect(samples.map(({ name, label }) => [name, label])).toEqual([
      ['Ant/1.JPG', 0],
      ['Ant/2.png', 0],
      ['zebra/a.jpg', 1],
    ]);
  });

  it('reads boxes from metadata.jsonl', async () => {
    metadata(
      { file_name: 'Ant/2.png', label: 'Ant' },
      { file_name: 'zebra/a.jpg', label: 'zebra', objects: { bbox: [[1, 2, 3, 4]], categories: ['zebra'] } },
    );
    const { samples } = await readListing(data, 'train', { boxes: true });
    expect(samples.map(({ box }) => box)).toEqual([undefined, undefined, [1, 2, 3, 4]]);
  });

  it('follows links to classes and to images', async () => {
    put('elsewhere/1.jpg');
    symlinkSync(join(data, 'elsewhere'), join(data, 'train/bee'));
    symlinkSync(join(data, 'train/Ant/2.png'), join(data, 'train/zebra/b.png'));
    const { samples } = await readListing(data, 'train', { boxes: true });
    expect(samples.map(({ name }) => name)).toEqual([
      'Ant/1.JPG',
      'Ant/2.png',
      'bee/1.jpg',
      'zebra/a.jpg',
      'zebra/b.png',
    ]);
  });

  it('takes only the images of a list', async () => {
    put('list.txt', 'Ant/2.png\nzebra/a.jpg\n');
    const { samples } = await readListing(data, 'train', { list: join(data, 'list.txt'), boxes: true });
    expect(samples.map(({ name }) => name)).toEqual(['Ant/2.png', 'zebra/a.jpg']);
  });

  const refusals: [string, () => void, RegExp][] = [
    ['an empty class', () => mkdirSync(join(data, 'train/bee')), /bee has none/],
    [
      'a label without a class',
      () => metadata({ file_name: 'Ant/1.JPG', label: 'bee' }),
      /metadata.jsonl:1: label "bee"/,
    ],
    [
      'a line that is not JSON',
      () => put('train/metadata.jsonl', '{}{'),
      /metadata.jsonl:1: expected a line of JSON/,
    ],
    [
      'metadata of a class without a folder',
      () => metadata({ file_name: 'Ant/1.JPG' }, { file_name: 'bee/1.jpg', label: 'bee' }),
      /metadata.jsonl:2: bee\/1.jpg lies in no class folder/,
    ],
    [
      'a folder of text files',
      () => {
        rmSync(join(data, 'train'), { recursive: true });
        put('train/a.txt', 'text');
      },
      /expected folders of classes in .*train, found none/,
    ],
    [
      'a class of text files',
      () => put('train/bee/notes.txt', 'text'),
      /expected images in every class folder of .*train, bee has none/,
    ],
    [
      'a link to a class that is not there',
      () => symlinkSync(join(data, 'nowhere'), join(data, 'train/bee')),
      /train\/bee: the link leads nowhere/,
    ],
    ['a line without a name', () => metadata({}), /file_name/],
    [
      'a box of three numbers',
      () => metadata({ file_name: 'Ant/1.JPG', objects: { bbox: [[1, 2, 3]] } }),
      /expected objects.bbox to be \[\[x, y, width, height\]\], received \[\[1,2,3\]\]/,
    ],
  ];
  it.each(refusals)('refuses %s', async (_, spoil, message) => {
    spoil();
    await expect(readListing(data, 'train', { boxes: true })).rejects.toMatchObject({
      code: 'INVALID_DATASET',
      message: expect.stringMatching(message),
    });
  });

  it('refuses a list that names absent images, and a missing folder', async () => {
    put('list.txt', 'Ant/9.png\nAnt/1.JPG\nzebra/a.jpg');
    await expect(readListing(data, 'train', { list: join(data, 'list.txt'), boxes: true })).rejects.toThrow(
      'Ant/9.png',
    );
    await expect(readListing(data, 'val', { boxes: true })).rejects.toMatchObject({
      code: 'INVALID_DATASET',
    });
  });
});

describe('what lies beside the images', () => {
  it('is no class and no image if it is hidden', async () => {
    for (const name of ['.ipynb_checkpoints/x.jpg', 'Ant/._0.jpg', 'Ant/.DS_Store', 'Ant/Thumbs.db'])
      put(`train/${name}`);
    const { labels, samples } = await readListing(data, 'train', { boxes: false });
    expect(labels).toEqual(['Ant', 'zebra']);
    expect(samples).toHaveLength(3);
  });

  it('is a sample if it may be a photograph, in whatever format', async () => {
    for (const name of ['1.HEIC', '2.nef', '3.bmp', '4.jfif', '5']) put(`train/zebra/${name}`);
    const { samples } = await readListing(data, 'train', { boxes: false });
    expect(samples.filter(({ label }) => label === 1)).toHaveLength(6);
  });

  it('is noted if it looks like a mistake', async () => {
    put('train/ant/1.jpg');
    put('train/zebra/more/1.jpg');
    put('train/metadata.csv', 'file_name,label');
    const { notes } = await readListing(data, 'train', { boxes: false });
    expect(notes).toEqual([
      'Ant and ant are different classes: their names differ by case only',
      expect.stringMatching(/zebra\/more is a folder in a class/),
      expect.stringMatching(/metadata.csv is not read/),
    ]);
  });
});

it('an image with an empty list of boxes has no box', async () => {
  metadata({ file_name: 'Ant/1.JPG', objects: { bbox: [] } });
  const { samples } = await readListing(data, 'train', { boxes: true });
  expect(samples.map(({ box }) => box)).toEqual([undefined, undefined, undefined]);
});
