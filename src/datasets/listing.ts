import { VerydeepError } from '../errors.ts';
import type { PixelBox } from '../image/box.ts';

/** One labelled image of a split. */
export interface Sample {
  /** Relative to the split's folder: `CLASS/NAME.jpg`, or `NAME.JPEG` where the split has no class folders. */
  readonly name: string;
  readonly path: string;
  /** Index into the listing's labels. */
  readonly label: number;
  /** In pixels of the image as displayed; the first one if there are several. */
  readonly box?: PixelBox;
}

/** A split of a data set as it is listed, before any image is opened. */
export interface Listing {
  /** Class names sorted by their UTF-16 code units: the order of the network's outputs. */
  readonly labels: readonly string[];
  /** In the order of their classes' names, then their own. */
  readonly samples: readonly Sample[];
  /** What lies there and is not used, or looks like a mistake: for people. */
  readonly notes: readonly string[];
}

export interface ListingOptions {
  /** File with the name of an image a line: only these are taken. */
  readonly list?: string | undefined;
  /** Whether boxes are needed. ILSVRC has a file for each, which are not read otherwise. */
  readonly boxes: boolean;
}

/** Files that are read or decoded at a time. */
export const filesAtOnce = 8;

/** Up to five examples of a longer list, with the count of all. */
export function examplesOf(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown}, ... (${names.length} in all)` : shown;
}

export function invalidDataset(message: string, cause?: unknown): VerydeepError {
  return new VerydeepError('INVALID_DATASET', message, { cause });
}
