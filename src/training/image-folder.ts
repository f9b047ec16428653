import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, VerydeepError } from '../errors.ts';
import type { PixelBox } from './box.ts';

/** One labelled image of a split. */
export interface Sample {
  /** `CLASS/NAME.jpg`, relative to the split's folder. */
  readonly name: string;
  readonly path: string;
  /** Index into the listing's labels. */
  readonly label: number;
  /** In pixels of the image as displayed; the first one where metadata has several. */
  readonly box?: PixelBox;
}

/** A split of a data set as it is listed, before any image is opened. */
export interface Listing {
  /** Class names sorted by their UTF-16 code units: the order of the network's outputs. */
  readonly labels: readonly string[];
  /** In the order of their names. */
  readonly samples: readonly Sample[];
}

/** Names of image files; what else lies in a class folder is ignored. */
const imageName = /\.(jpe?g|png|webp|avif|gif|tiff?)$/i;

/**
 * Reads the image folder `DATA/SPLIT/CLASS/NAME` with an optional `DATA/SPLIT/metadata.jsonl` for the boxes.
 * `list` is a file with a `CLASS/NAME` a line: only these are taken.
 * Throws INVALID_DATASET where the folder is not of this form, a class is empty, or metadata contradicts it.
 */
export async function readImageFolder(data: string, split: string, list?: string): Promise<Listing> {
  const root = join(data, split);
  const entries = await readdir(root, { withFileTypes: true }).catch((cause: unknown) => {
    throw invalid(`expected the folder ${root} with a folder a class: ${messageOf(cause)}`, cause);
  });
  const labels = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  if (labels.length === 0) throw invalid(`expected folders of classes in ${root}, found none`);

  const boxes = await readBoxes(join(root, 'metadata.jsonl'));
  const wanted = list === undefined ? undefined : await readList(list);
  const samples: Sample[] = [];
  const empty: string[] = [];
  for (const [label, name] of labels.entries()) {
    const before = samples.length;
    for (const file of (await readdir(join(root, name))).sort()) {
      const sampleName = `${name}/${file}`;
      if (!imageName.test(file) || (wanted && !wanted.delete(sampleName))) continue;
      const box = boxes.get(sampleName);
      boxes.delete(sampleName);
      samples.push({ name: sampleName, path: join(root, name, file), label, ...(box && { box }) });
    }
    if (samples.length === before) empty.push(name);
  }
  if (empty.length > 0)
    throw invalid(
      `expected images in every class folder of ${root}, ${some(empty)} ${empty.length === 1 ? 'has' : 'have'} none`,
    );
  if (wanted && wanted.size > 0)
    throw invalid(`${list} names images that ${root} does not have: ${some([...wanted])}`);
  return { labels, samples };
}

/** Up to five examples of a longer list, with the count of all. */
export function some(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown}, ... (${names.length} in all)` : shown;
}

export function invalid(message: string, cause?: unknown): VerydeepError {
  return new VerydeepError('INVALID_DATASET', message, { cause });
}

async function readList(path: string): Promise<Set<string>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw invalid(`${path}: cannot be read: ${messageOf(cause)}`, cause);
  });
  return new Set(text.split(/\r?\n/).filter((line) => line !== ''));
}

/** Boxes by file name; an absent file has none. */
async function readBoxes(path: string): Promise<Map<string, PixelBox>> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return '';
    throw invalid(`${path}: cannot be read: ${cause.message}`, cause);
  });
  const boxes = new Map<string, PixelBox>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line === '') continue;
    const { name, box } = parseLine(line, `${path}:${i + 1}`);
    if (box) boxes.set(name, box);
  }
  return boxes;
}

/** `{"file_name": "CLASS/NAME", "label": "CLASS", "objects": {"bbox": [[x, y, width, height]]}}` */
function parseLine(line: string, where: string): { name: string; box: PixelBox | undefined } {
  let entry: { file_name?: unknown; label?: unknown; objects?: { bbox?: unknown } };
  try {
    entry = JSON.parse(line);
  } catch (cause) {
    throw invalid(`${where}: expected a line of JSON: ${messageOf(cause)}`, cause);
  }
  const { file_name: name, label, objects } = entry ?? {};
  if (typeof name !== 'string') throw invalid(`${where}: expected file_name to be a string`);
  const folder = name.slice(0, name.lastIndexOf('/'));
  if (label !== undefined && label !== folder) {
    throw invalid(
      `${where}: label ${JSON.stringify(label)} has no such class folder: ${name} lies in ${folder}`,
    );
  }
  const boxes = objects?.bbox;
  if (boxes === undefined) return { name, box: undefined };
  const first: unknown = Array.isArray(boxes) ? boxes[0] : undefined;
  if (!Array.isArray(first) || first.length !== 4 || !first.every((n) => Number.isFinite(n))) {
    throw invalid(
      `${where}: expected objects.bbox to be [[x, y, width, height]], received ${JSON.stringify(boxes)}`,
    );
  }
  return { name, box: first as unknown as PixelBox };
}
