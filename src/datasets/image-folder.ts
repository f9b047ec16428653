import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import type { PixelBox } from '../image/box.ts';
import { readClassFolders } from './class-folders.ts';
import { invalidDataset, type Listing } from './listing.ts';
import { readLines } from './read-text.ts';

/**
 * The image folder `ROOT/CLASS/NAME` with an optional `ROOT/metadata.jsonl` for the boxes. Throws INVALID_DATASET
 * where a class is empty, or metadata is malformed or contradicts the folders.
 */
export async function readImageFolder(
  root: string,
  classes: readonly string[],
  list: string | undefined,
): Promise<Listing> {
  const boxes = await readBoxes(join(root, 'metadata.jsonl'), new Set(classes));
  const listing = await readClassFolders(root, classes, list);
  const table = join(root, 'metadata.csv');
  return {
    ...listing,
    samples: listing.samples.map((sample) => {
      const box = boxes.get(sample.name);
      return box ? { ...sample, box } : sample;
    }),
    notes: existsSync(table)
      ? [...listing.notes, `${table} is not read: classes are folders, boxes come from metadata.jsonl`]
      : listing.notes,
  };
}

// --- helpers ---

/** Boxes by file name; an absent file has none. */
async function readBoxes(path: string, classes: ReadonlySet<string>): Promise<Map<string, PixelBox>> {
  const boxes = new Map<string, PixelBox>();
  for (const [i, line] of ((await readLines(path)) ?? []).entries()) {
    if (line === '') continue;
    const { name, box } = parseLine(line, `${path}:${i + 1}`, classes);
    if (box) boxes.set(name, box);
  }
  return boxes;
}

/** `{"file_name": "CLASS/NAME", "label": "CLASS", "objects": {"bbox": [[x, y, width, height]]}}` */
function parseLine(
  line: string,
  where: string,
  classes: ReadonlySet<string>,
): { name: string; box: PixelBox | undefined } {
  let entry: { file_name?: unknown; label?: unknown; objects?: { bbox?: unknown } };
  try {
    entry = JSON.parse(line);
  } catch (cause) {
    throw invalidDataset(`${where}: expected a line of JSON: ${messageOf(cause)}`, cause);
  }
  const { file_name: name, label, objects } = entry ?? {};
  if (typeof name !== 'string') throw invalidDataset(`${where}: expected file_name to be a string`);
  const folder = name.slice(0, Math.max(0, name.lastIndexOf('/')));
  if (label !== undefined && label !== folder) {
    throw invalidDataset(
      `${where}: label ${JSON.stringify(label)} has no such class folder: ${name} lies in ${folder}`,
    );
  }
  if (!classes.has(folder)) throw invalidDataset(`${where}: ${name} lies in no class folder`);
  const boxes = objects?.bbox;
  // An image without an object is listed with an empty list by annotation tools.
  if (boxes === undefined || (Array.isArray(boxes) && boxes.length === 0)) return { name, box: undefined };
  const first: unknown = Array.isArray(boxes) ? boxes[0] : undefined;
  if (!Array.isArray(first) || first.length !== 4 || !first.every((n) => Number.isFinite(n))) {
    throw invalidDataset(
      `${where}: expected objects.bbox to be [[x, y, width, height]], received ${JSON.stringify(boxes)}`,
    );
  }
  return { name, box: first as [number, number, number, number] };
}
