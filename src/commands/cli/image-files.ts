import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { isHidden, mayBeImage } from '../../image/format.ts';

export interface ImageFiles {
  readonly paths: readonly string[];
  /** At least one of the arguments was a folder. */
  readonly fromFolder: boolean;
}

/**
 * The files that arguments of the command line stand for: a folder is searched with all its subfolders for what may be
 * an image by its name, sorted; anything else is taken as it is, whether it can be read or not.
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
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split(sep).some(isHidden) && mayBeImage(basename(path)))
    .sort()
    .map((name) => join(folder, name));
}
