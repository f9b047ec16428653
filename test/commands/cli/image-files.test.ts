import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findImageFiles } from '../../../src/commands/cli/image-files.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verydeep-'));
  await mkdir(join(folder, 'b'));
  for (const name of ['z.JPG', 'a.png', 'notes.txt', 'b/c.webp', 'b/d.tiff']) {
    await writeFile(join(folder, name), '');
  }
});
afterAll(() => rm(folder, { recursive: true }));

it('searches folders for images, sorted', async () => {
  expect(await findImageFiles([folder])).toEqual({
    paths: ['a.png', 'b/c.webp', 'b/d.tiff', 'z.JPG'].map((name) => join(folder, name)),
    fromFolder: true,
  });
});

it('takes files as they are given, there or not', async () => {
  const paths = [join(folder, 'notes.txt'), '/nowhere/at.all'];
  expect(await findImageFiles(paths)).toEqual({ paths, fromFolder: false });
});
