import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { isHidden, mayBeImage } from '../image/format.ts';
import { examplesOf, invalidDataset, type Listing, type Sample } from './listing.ts';
import { readLines } from './read-text.ts';

/** What lies in the folder of a split: folders of classes, images, or both. Hidden files, and files that are clearly no images, are ignored. */
export interface SplitContents {
  readonly classes: readonly string[];
  readonly images: readonly string[];
}

/** Lists the folder of a split, links followed. Throws INVALID_DATASET if there is none. */
export async function readSplitContents(root: string): Promise<SplitContents> {
  const entries = await readdir(root, { withFileTypes: true }).catch((cause: unknown) => {
    throw invalidDataset(`expected the folder ${root} with a folder a class: ${messageOf(cause)}`, cause);
  });
  const classes: string[] = [];
  const images: string[] = [];
  for (const entry of entries.filter(({ name }) => !isHidden(name))) {
    if (await isFolder(root, entry)) classes.push(entry.name);
    else if (mayBeImage(entry.name)) images.push(entry.name);
  }
  return { classes: classes.sort(), images: images.sort() };
}

/** The images of class folders, in order; `list` as in ListingOptions. Throws INVALID_DATASET for an empty class. */
export async function readClassFolders(
  root: string,
  classes: readonly string[],
  list: string | undefined,
): Promise<Listing> {
  const wanted = await readList(list);
  const samples: Sample[] = [];
  const empty: string[] = [];
  const notes = twinClasses(classes).map(
    (names) => `${names.join(' and ')} are different classes: their names differ by case only`,
  );
  for (const [label, folder] of classes.entries()) {
    const before = samples.length;
    const entries = await readdir(join(root, folder), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = entry.name;
      const name = `${folder}/${file}`;
      if (entry.isDirectory()) {
        if (!isHidden(file))
          notes.push(`${join(root, name)} is a folder in a class: what lies in it is not read`);
        continue;
      }
      if (mayBeImage(file) && wanted.takes(name))
        samples.push({ name, path: join(root, folder, file), label });
    }
    if (samples.length === before) empty.push(folder);
  }
  if (empty.length > 0) {
    const verb = empty.length === 1 ? 'has' : 'have';
    throw invalidDataset(
      `expected images in every class folder of ${root}, ${examplesOf(empty)} ${verb} none`,
    );
  }
  wanted.checkAllTaken(root);
  return { labels: classes, samples, notes };
}

/** The names of a list file, all if there is none. */
export async function readList(list: string | undefined) {
  const lines = list === undefined ? undefined : await readLines(list);
  if (list !== undefined && lines === undefined)
    throw invalidDataset(`${list}: cannot be read: there is no such file`);
  const names = lines && new Set(lines);
  names?.delete('');
  return {
    takes: (name: string): boolean => names === undefined || names.delete(name),
    checkAllTaken(root: string): void {
      if (names && names.size > 0)
        throw invalidDataset(`${list} names images that ${root} does not have: ${examplesOf([...names])}`);
    },
  };
}

// --- helpers ---

async function isFolder(root: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const path = join(root, entry.name);
  const target = await stat(path).catch((cause: unknown) => {
    throw invalidDataset(`${path}: the link leads nowhere: ${messageOf(cause)}`, cause);
  });
  return target.isDirectory();
}

/** Classes that a file system which ignores case would take for one. */
function twinClasses(classes: readonly string[]): string[][] {
  const groups = new Map<string, string[]>();
  for (const name of classes) {
    const key = name.toLowerCase();
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups.values()].filter((names) => names.length > 1);
}
