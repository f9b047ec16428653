import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { findImageFiles } from '../../../src/commands/cli/image-files.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const folder = temporaryFolder();
beforeAll(async () => {
  await mkdir(join(folder, 'b'));
  for (const name of ['z.JPG', 'a.png', 'notes.txt', 'b/c.webp', 'b/d.tiff']) {
    await writeFile(join(folder, name), '');
  }
});

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
