import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DatasetOptions, loadDataset } from '../../src/training/dataset.ts';
import type { StoredPicture } from '../../src/training/load-image.ts';
import { put, tiff, writeColourDataset } from './pictures.ts';

let data: string;
let options: DatasetOptions;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'verydeep-'));
  writeColourDataset(data);
  options = {
    data,
    scales: { train: 36, validation: 32 },
    boxes: false,
    cacheBytes: 1e8,
    maxBrokenShare: 0.01,
    limits: { maxFileBytes: 1e6, maxPixels: 1e6 },
  };
});
afterEach(() => rmSync(data, { recursive: true }));

describe('data set', () => {
  it('decodes each split at its scale', async () => {
    const { labels, train, validation, skipped } = await loadDataset({ ...options, boxes: true });
    expect(labels).toEqual(['blue', 'green', 'red']);
    expect([train.length, validation.length, skipped]).toEqual([24, 12, []]);
    expect([train[0]!.width, train[0]!.height]).toEqual([40, 36]);
    expect([validation[0]!.width, validation[0]!.height]).toEqual([36, 32]);
    expect(train[0]!.box).toEqual([2, 3, 14, 14]);
    expect(train[0]!.pixels!.byteLength).toBe(40 * 36 * 3);
  });

  it('keeps no more pictures than the memory that it is given', async () => {
    const { train, validation } = await loadDataset({ ...options, cacheBytes: 10_000 });
    const kept = [...train, ...validation].reduce((sum, { pixels }) => sum + (pixels?.byteLength ?? 0), 0);
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThanOrEqual(10_000);
  });

  it('takes a single pixel, and panoramas at a bounded length', async () => {
    put(
      join(data, 'train/red/pixel.tiff'),
      tiff(1, 1, () => [7, 8, 9]),
    );
    put(
      join(data, 'train/red/wide.tiff'),
      tiff(5000, 2, () => [1, 2, 3]),
    );
    const { train, skipped } = await loadDataset(options);
    const [pixel, wide] = train.slice(-2) as [StoredPicture, StoredPicture];
    expect(skipped).toEqual([]);
    expect([pixel.width, pixel.height, wide.width, wide.height]).toEqual([36, 36, 8 * 36, 36]);
    expect([...new Uint8Array(pixel.pixels!.slice(-3))]).toEqual([7, 8, 9]);
  });

  it('has a digest of its contents', async () => {
    const { digest } = await loadDataset(options);
    expect((await loadDataset({ ...options, cacheBytes: 0 })).digest).toBe(digest);
    put(
      join(data, 'train/red/0.tiff'),
      tiff(40, 36, () => [9, 9, 9]),
    );
    expect((await loadDataset(options)).digest).not.toBe(digest);
  });

  it('leaves out a few broken images and says which, photographs of other formats among them', async () => {
    writeFileSync(join(data, 'train/red/broken.jpg'), 'no picture');
    writeFileSync(join(data, 'train/red/phone.HEIC'), 'no picture that we know');
    for (const name of ['._0.jpg', 'Thumbs.db', 'notes.txt'])
      writeFileSync(join(data, 'train/red', name), 'x');
    const { train, skipped } = await loadDataset(options);
    expect(train.length).toBe(24);
    expect(skipped).toEqual([
      expect.stringContaining('train/red/broken.jpg: '),
      expect.stringContaining('train/red/phone.HEIC: expected a JPEG, PNG, WebP, AVIF, GIF or TIFF image'),
    ]);
  });

  it('leaves out copies of validation images, however many', async () => {
    for (let i = 0; i < 6; i++)
      copyFileSync(join(data, 'val/green/1.tiff'), join(data, `train/green/twin${i}.tiff`));
    const { train, skipped } = await loadDataset({ ...options, maxBrokenShare: 0 });
    expect([train.length, skipped.length]).toEqual([24, 6]);
    expect(skipped[0]).toContain('train/green/twin0.tiff: is also in val, as green/1.tiff');
  });

  it('allows as many broken images as it is told, and no more', async () => {
    for (let i = 0; i < 6; i++) writeFileSync(join(data, `train/red/broken${i}.jpg`), 'x');
    expect((await loadDataset({ ...options, maxBrokenShare: 0.2 })).skipped).toHaveLength(6); // of 30
    await expect(loadDataset({ ...options, maxBrokenShare: 0.19 })).rejects.toThrow(
      /at most 5 of the 30 train/,
    );
    rmSync(join(data, 'train/red/broken0.jpg'));
    rmSync(join(data, 'train/red/broken1.jpg'));
    rmSync(join(data, 'train/red/broken2.jpg'));
    expect((await loadDataset(options)).skipped).toHaveLength(3); // whatever the share
    await expect(loadDataset({ ...options, maxBrokenShare: 0 })).rejects.toThrow(/at most 0 of the 27 train/);
  });

  const refusals: [string, () => void, RegExp, boolean?][] = [
    [
      'many unreadable images',
      () => {
        for (let i = 0; i < 4; i++) writeFileSync(join(data, `train/red/broken${i}.jpg`), 'x');
      },
      /at most 3 of the 28 train images to be broken, 4 are \(--skip-broken allows more\): .*broken0.jpg/,
    ],
    [
      'a box outside its image',
      () =>
        put(
          join(data, 'train/metadata.jsonl'),
          JSON.stringify({ file_name: 'red/3.tiff', label: 'red', objects: { bbox: [[30, 0, 20, 20]] } }),
        ),
      /red\/3.tiff: its box \[30, 0, 20, 20\] is not in its 40 x 36 pixels/,
      true,
    ],
    [
      'a single class',
      () => {
        for (const split of ['train', 'val'])
          for (const label of ['blue', 'green']) rmSync(join(data, split, label), { recursive: true });
        rmSync(join(data, 'train/metadata.jsonl'));
      },
      /expected two classes or more in .*, the train split has only red/,
    ],
    [
      'a missing split',
      () => rmSync(join(data, 'val'), { recursive: true }),
      /expected the folder .*val with a folder a class: ENOENT/,
    ],
    [
      'a class that only validation has',
      () =>
        put(
          join(data, 'val/pink/0.tiff'),
          tiff(9, 9, () => [250, 100, 100]),
        ),
      /classes of val that train does not have: pink/,
    ],
  ];
  it.each(refusals)('refuses %s', async (_, spoil, message, boxes = false) => {
    spoil();
    await expect(loadDataset({ ...options, boxes })).rejects.toMatchObject({
      code: 'INVALID_DATASET',
      message: expect.stringMatching(message),
    });
  });

  it('for localisation leaves out images without a box, and refuses a split without any', async () => {
    put(
      join(data, 'train/metadata.jsonl'),
      JSON.stringify({ file_name: 'red/3.tiff', label: 'red', objects: { bbox: [[1, 0, 20, 20]] } }),
    );
    expect((await loadDataset({ ...options, boxes: true })).train.length).toBe(1);
    rmSync(join(data, 'val/metadata.jsonl'));
    await expect(loadDataset({ ...options, boxes: true })).rejects.toThrow('the validation split has none');
  });
});
