import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pMap from 'p-map';
import { examplesOf, filesAtOnce, invalidDataset, type Listing, type Sample } from '../datasets/listing.ts';
import { readListing } from '../datasets/read-listing.ts';
import { type ColourStatistics, colourStatistics } from '../image/colour-shift.ts';
import { decodeAtScales } from '../image/decode.ts';
import type { ImageLimits } from '../image/limits.ts';
import { type LoadedImage, loadImage, type StoredPicture } from './load-image.ts';

/** A data set that has passed all checks. */
export interface Dataset {
  readonly labels: readonly string[];
  readonly train: readonly StoredPicture[];
  readonly validation: readonly StoredPicture[];
  /** Images left out, each with the reason, and what else in the folders is not used. */
  readonly skipped: readonly string[];
  /** `sha256:` and the hash of names, labels, boxes and contents of all images that are used. */
  readonly digest: string;
  /** Of the training pictures. */
  readonly colours: ColourStatistics;
}

export interface DatasetOptions {
  /** Folder with `train/` and `val/`, or ILSVRC's. */
  readonly data: string;
  /** File that lists the training images to use; all when omitted. */
  readonly list?: string | undefined;
  /** Smallest sides in pixels at which pictures are kept: the largest S of training, and the Q of validation. */
  readonly scales: { readonly train: number; readonly validation: number };
  /** Boxes are used, and images without one left out (localisation). */
  readonly boxes: boolean;
  /** Most bytes of decoded pictures that are kept in memory. */
  readonly cacheBytes: number;
  /** Share of a split's images that may be broken, 0 to 1; of a small split {@link fewBroken} may be, unless it is 0. */
  readonly maxBrokenShare: number;
  readonly limits: ImageLimits;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Broken images that are allowed in a split of any size. */
const fewBroken = 3;

/**
 * Reads, checks and decodes a data set. Training images that are also in the validation split (by content) are left out.
 * So are broken images, which cannot be decoded or whose box does not lie in them, up to `maxBrokenShare` of their split.
 * Throws INVALID_DATASET beyond that, and if the folder is not as expected or a class is empty.
 */
export async function loadDataset(options: DatasetOptions): Promise<Dataset> {
  const { boxes, list } = options;
  const train = await readListing(options.data, 'train', { list, boxes });
  if (!boxes && train.labels.length < 2)
    throw invalidDataset(
      `expected two classes or more in ${options.data}, the train split has only ${train.labels[0]}`,
    );
  const validation = withLabelsOf(train, await readListing(options.data, 'val', { boxes }));
  const wanted = (listing: Listing): Sample[] =>
    boxes
      ? listing.samples.filter((sample) => sample.box !== undefined)
      : listing.samples.map(({ box: _, ...sample }) => sample);
  const samples = { train: wanted(train), validation: wanted(validation) };
  for (const [split, { length }] of Object.entries(samples)) {
    if (length === 0)
      throw invalidDataset(`expected images with boxes in ${options.data}, the ${split} split has none`);
  }

  const room = { bytes: options.cacheBytes };
  const total = samples.train.length + samples.validation.length;
  let done = 0;
  const load = (split: keyof typeof samples): Promise<LoadedImage[]> =>
    pMap(
      samples[split],
      (sample) =>
        loadImage(sample, options.scales[split], options.limits, room).finally(() =>
          options.onProgress?.(++done, total),
        ),
      { concurrency: filesAtOnce },
    );
  const validated = usable('validation', await load('validation'), options);
  const held = new Map(validated.used.map((image) => [image.hash, image.sample.name]));
  const all = usable('train', await load('train'), options);
  const twinOf = ({ hash }: LoadedImage): string | undefined => held.get(hash);
  const trained = {
    used: all.used.filter((image) => twinOf(image) === undefined),
    skipped: [
      ...all.skipped,
      ...all.used.flatMap((image) => {
        const twin = twinOf(image);
        return twin === undefined ? [] : [`${image.sample.path}: is also in val, as ${twin}`];
      }),
    ],
  };

  const digest = createHash('sha256');
  for (const { sample, hash } of [...trained.used, ...validated.used]) {
    digest.update(`${JSON.stringify([sample.name, sample.label, sample.box, hash])}\n`);
  }
  const pictures = trained.used.map((image) => image.picture);
  return {
    labels: train.labels,
    train: pictures,
    validation: validated.used.map((image) => image.picture),
    skipped: [...train.notes, ...trained.skipped, ...validation.notes, ...validated.skipped],
    digest: `sha256:${digest.digest('hex')}`,
    colours: await coloursOf(pictures, options),
  };
}

/** The pixels of a picture: those in memory, or decoded as they were when the data set was loaded. */
export async function pixelsOf(
  picture: StoredPicture,
  scale: number,
  limits: ImageLimits,
): Promise<Uint8Array> {
  if (picture.pixels) return new Uint8Array(picture.pixels);
  const { pictures } = await decodeAtScales(await readFile(picture.path), [scale], limits);
  return pictures[0]!.pixels;
}

// --- helpers ---

/** Pictures whose pixels are measured for the colour statistics, evenly spread over the classes. */
const colourSample = 2000;

async function coloursOf(
  pictures: readonly StoredPicture[],
  options: DatasetOptions,
): Promise<ColourStatistics> {
  const stride = Math.max(1, pictures.length / colourSample);
  const count = Math.min(pictures.length, colourSample);
  const sample = Array.from({ length: count }, (_, i) => pictures[Math.floor(i * stride)]!);
  return colourStatistics(
    await pMap(
      sample,
      async (picture) => {
        const { width, height } = picture;
        return { width, height, pixels: await pixelsOf(picture, options.scales.train, options.limits) };
      },
      { concurrency: filesAtOnce },
    ),
  );
}

/** Splits images into those to use and the list of the broken ones. Throws INVALID_DATASET if these are too many. */
function usable(
  split: string,
  images: readonly LoadedImage[],
  { maxBrokenShare }: Pick<DatasetOptions, 'maxBrokenShare'>,
) {
  const used = images.flatMap((image) => (image.picture ? [{ ...image, picture: image.picture }] : []));
  const skipped = images.flatMap((image) =>
    image.picture ? [] : [`${image.sample.path}: ${image.problem}`],
  );
  const allowed = maxBrokenShare === 0 ? 0 : Math.max(fewBroken, Math.floor(images.length * maxBrokenShare));
  if (skipped.length > allowed || used.length === 0) {
    throw invalidDataset(
      `expected at most ${allowed} of the ${images.length} ${split} images to be broken, ${skipped.length} are ` +
        `(--skip-broken allows more): ${examplesOf(skipped)}`,
    );
  }
  return { used, skipped };
}

/** The validation split with the training split's labels. Throws INVALID_DATASET for a class that training lacks. */
function withLabelsOf(train: Listing, validation: Listing): Listing {
  const unknown = validation.labels.filter((label) => !train.labels.includes(label));
  if (unknown.length > 0)
    throw invalidDataset(`classes of val that train does not have: ${examplesOf(unknown)}`);
  const index = validation.labels.map((label) => train.labels.indexOf(label));
  return {
    labels: train.labels,
    notes: validation.notes,
    samples: validation.samples.map((sample) => ({ ...sample, label: index[sample.label]! })),
  };
}
