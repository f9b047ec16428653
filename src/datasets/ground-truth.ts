import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidDataset } from './listing.ts';
import { readLines } from './read-text.ts';

/** Of 2012 and of later years, in which the labels are the same. */
const groundTruthName = /^ILSVRC20\d\d_(clsloc_)?validation_ground_truth\.txt$/;

/** The WordNet id of a validation image. Throws INVALID_DATASET if the list does not have it. */
export type GroundTruth = (imageName: string) => string;

/**
 * The development kit's labels of the validation images, from the first of `folders` that has them, or `undefined`.
 * Line n is the label of `ILSVRC2012_val_0000000n.JPEG`, an ILSVRC2012_ID counted from 1. That is not the
 * order of the WordNet ids, so `map_clsloc.txt` must lie beside it. Throws INVALID_DATASET.
 */
export async function readGroundTruth(folders: readonly string[]): Promise<GroundTruth | undefined> {
  for (const folder of folders) {
    const file = (await readdir(folder).catch(() => [])).sort().find((name) => groundTruthName.test(name));
    if (file === undefined) continue;
    const path = join(folder, file);
    const ids = (await readLines(path))!;
    const synsets = await readMap(join(folder, 'map_clsloc.txt'), path);
    return (imageName) => {
      const number = Number(/_val_(\d{8})\.\w+$/.exec(imageName)?.[1] ?? Number.NaN);
      const id = ids[number - 1];
      if (id === undefined) {
        const expected = `expected images named ILSVRC2012_val_00000001.JPEG to ..._${`${ids.length}`.padStart(8, '0')}`;
        throw invalidDataset(`${path}: ${expected}, received ${imageName}`);
      }
      const synset = synsets.get(id.trim());
      if (synset === undefined)
        throw invalidDataset(`${path}:${number}: label ${JSON.stringify(id)} has no class`);
      return synset;
    };
  }
  return undefined;
}

// --- helpers ---

/** WordNet ids by ILSVRC2012_ID. A line is `n02119789 1 kit_fox`. */
async function readMap(path: string, groundTruth: string): Promise<Map<string, string>> {
  const lines = await readLines(path);
  if (lines === undefined) {
    throw invalidDataset(
      `${groundTruth}: expected ${path} beside it, of the development kits from 2014 on, to say which number is which class`,
    );
  }
  return new Map(
    lines.map((line, i) => {
      const [, synset, id] = /^(n\d{8}) (\d+)(?: |$)/.exec(line) ?? [];
      if (synset === undefined)
        throw invalidDataset(`${path}:${i + 1}: expected n02119789 1 kit_fox, received ${line}`);
      return [id!, synset];
    }),
  );
}
