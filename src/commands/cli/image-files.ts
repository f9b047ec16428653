import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { imageFileName } from '../../image/format.ts';

export interface ImageFiles {
  readonly paths: readonly string[];
  /** At least one of the arguments was a folder. */
  readonly fromFolder: boolean;
}

/**
 * The files that arguments of the command line stand for: a folder is searched with all its subfolders for names of
 * image formats, sorted; anything else is taken as it is, whether it can be read or not.
 */
export async function findImageFiles(args: readonly string[]): Promise<ImageFiles> {
  const paths: string[] = [];
  let fromFolder = false;
  for (const path of args) {
    const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
    if (isFolder) paths.push(...(await imagesUnder(path)));
    else paths.push(path);
    fromFolder ||= isFolder;
  }
  return { paths, fromFolder };
}

// --- helpers ---

async function imagesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true });
  return entries
    .filter((name) => imageFileName.test(name))
    .sort()
    .map((name) => join(folder, name));
}
