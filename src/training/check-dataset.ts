import pMap from 'p-map';
import { filesAtOnce, type Listing, type Sample } from '../datasets/listing.ts';
import { readListing } from '../datasets/read-listing.ts';
import type { ImageLimits } from '../image/limits.ts';
import { type LoadedImage, loadImage } from './load-image.ts';

/** What a training would find in a split. */
export interface SplitReport {
  readonly images: number;
  readonly boxes: number;
  /** Images of each class, in the order of the network's outputs. */
  readonly classes: readonly { readonly label: string; readonly images: number }[];
  /** Images that cannot be used, each with the reason. */
  readonly broken: readonly string[];
  /** Names of the same image, by content, and whether they are of different classes. */
  readonly duplicates: readonly { readonly names: readonly string[]; readonly contradicts: boolean }[];
  /** What lies in the folders and is not used, or looks like a mistake. */
  readonly notes: readonly string[];
}

export interface DatasetReport {
  readonly train: SplitReport;
  readonly validation: SplitReport;
  /** Images of both splits, by content: training leaves them out. */
  readonly shared: readonly { readonly train: string; readonly validation: string }[];
}

export interface CheckOptions {
  readonly data: string;
  readonly limits: ImageLimits;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Every image is decoded, but only at this smallest side, in pixels. */
const scale = 32;

/** Reads and decodes all images of a data set. Throws INVALID_DATASET if the folders are not as expected. */
export async function checkDataset({ data, limits, onProgress }: CheckOptions): Promise<DatasetReport> {
  const listings = {
    train: await readListing(data, 'train', { boxes: true }),
    validation: await readListing(data, 'val', { boxes: true }),
  };
  const total = listings.train.samples.length + listings.validation.samples.length;
  let done = 0;
  const load = (sample: Sample): Promise<LoadedImage> =>
    loadImage(sample, scale, limits, { bytes: 0 }).finally(() => onProgress?.(++done, total));
  const loadAll = ({ samples }: Listing) => pMap(samples, load, { concurrency: filesAtOnce });
  const train = await loadAll(listings.train);
  const validation = await loadAll(listings.validation);
  const held = new Map(validation.filter(isUsable).map(({ hash, sample }) => [hash, sample.name]));
  return {
    train: reportOf(listings.train, train),
    validation: reportOf(listings.validation, validation),
    shared: train.filter(isUsable).flatMap(({ hash, sample }) => {
      const twin = held.get(hash);
      return twin === undefined ? [] : [{ train: sample.name, validation: twin }];
    }),
  };
}

// --- helpers ---

const isUsable = ({ picture }: LoadedImage): boolean => picture !== undefined;

function reportOf({ labels, notes }: Listing, images: readonly LoadedImage[]): SplitReport {
  const counts = labels.map(() => 0);
  for (const { sample } of images) counts[sample.label]! += 1;
  return {
    images: images.length,
    boxes: images.filter(({ sample }) => sample.box !== undefined).length,
    classes: labels.map((label, index) => ({ label, images: counts[index]! })),
    broken: images
      .filter((image) => !isUsable(image))
      .map(({ sample, problem }) => `${sample.path}: ${problem}`),
    duplicates: duplicatesOf(images.filter(isUsable)),
    notes,
  };
}

function duplicatesOf(images: readonly LoadedImage[]): SplitReport['duplicates'] {
  const byHash = new Map<string, Sample[]>();
  for (const { hash, sample } of images) byHash.set(hash, [...(byHash.get(hash) ?? []), sample]);
  return [...byHash.values()]
    .filter((samples) => samples.length > 1)
    .map((samples) => ({
      names: samples.map(({ name }) => name),
      contradicts: new Set(samples.map(({ label }) => label)).size > 1,
    }));
}
