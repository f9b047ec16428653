import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readImageFolder } from '../../src/training/image-folder.ts';

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
    const { labels, samples } = await readImageFolder(data, 'train');
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
    const { samples } = await readImageFolder(data, 'train');
    expect(samples.map(({ box }) => box)).toEqual([undefined, undefined, [1, 2, 3, 4]]);
  });

  it('takes only the images of a list', async () => {
    put('list.txt', 'Ant/2.png\nzebra/a.jpg\n');
    const { samples } = await readImageFolder(data, 'train', join(data, 'list.txt'));
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
    ['a line without a name', () => metadata({}), /file_name/],
    [
      'a box of three numbers',
      () => metadata({ file_name: 'Ant/1.JPG', objects: { bbox: [[1, 2, 3]] } }),
      /expected objects.bbox to be \[\[x, y, width, height\]\], received \[\[1,2,3\]\]/,
    ],
  ];
  it.each(refusals)('refuses %s', async (_, spoil, message) => {
    spoil();
    await expect(readImageFolder(data, 'train')).rejects.toMatchObject({
      code: 'INVALID_DATASET',
      message: expect.stringMatching(message),
    });
  });

  it('refuses a list that names absent images, and a missing folder', async () => {
    put('list.txt', 'Ant/9.png\nAnt/1.JPG\nzebra/a.jpg');
    await expect(readImageFolder(data, 'train', join(data, 'list.txt'))).rejects.toThrow('Ant/9.png');
    await expect(readImageFolder(data, 'val')).rejects.toMatchObject({ code: 'INVALID_DATASET' });
  });
});
