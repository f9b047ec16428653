import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pMap from 'p-map';
import { examplesOf, filesAtOnce, invalidDataset, type Listing, type Sample } from '../datasets/listing.ts';
import { readListing } from '../datasets/read-listing.ts';
import { messageOf } from '../errors.ts';
import type { PixelBox } from '../image/box.ts';
import { type ColourStatistics, colourStatistics } from '../image/colour-shift.ts';
import { decodeAtScales } from '../image/decode.ts';
import type { ImageLimits } from '../image/limits.ts';

/** A checked image, rescaled to the scale of its split. */
export interface StoredPicture {
  readonly path: string;
  /** Index into the data set's labels. */
  readonly label: number;
  readonly width: number;
  readonly height: number;
  /** In pixels of this picture. */
  readonly box?: PixelBox;
  /** RGB, `[height, width, 3]`, shared with the loader's thread; decoded anew each time where memory did not suffice. */
  readonly pixels?: SharedArrayBuffer;
}

/** A data set that has passed all checks. */
export interface Dataset {
  readonly labels: readonly string[];
  readonly train: readonly StoredPicture[];
  readonly validation: readonly StoredPicture[];
  /** Images left out, each with the reason. */
  readonly skipped: readonly string[];
  /** `sha256:` and the hash of names, labels, boxes and contents of all images that are used. */
  readonly digest: string;
  /** Of the training pictures. */
  readonly colours: ColourStatistics;
}

export interface DatasetOptions {
  /** Folder with `train/` and `val/`, or ILSVRC's. */
  readonly data: string;
  /** File that lists the training images to use; all where not given. */
  readonly list?: string | undefined;
  /** Smallest sides in pixels at which pictures are kept: the largest S of training, and the Q of validation. */
  readonly scales: { readonly train: number; readonly validation: number };
  /** Boxes are used, and images without one left out (localisation). */
  readonly boxes: boolean;
  /** Most bytes of decoded pictures that are kept in memory. */
  readonly cacheBytes: number;
  readonly limits: ImageLimits;
  readonly onProgress?: (done: number, total: number) => void;
}

/** More unusable images than this share of a split, and the data set is refused. */
const maxSkippedShare = 0.01;

/**
 * Reads, checks and decodes a data set. Unreadable images, those whose box does not lie in them, and training images
 * that are also in the validation split (by content) are skipped, up to 1 % of their split. Throws INVALID_DATASET
 * beyond that, and where the folder is not as expected or a class is empty.
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
  const validated = usable('validation', await load('validation'));
  const held = new Map(validated.used.map((image) => [image.hash, image.sample.name]));
  const trained = usable(
    'train',
    (await load('train')).map((image) => {
      const twin = image.picture && held.get(image.hash);
      return twin === undefined
        ? image
        : { ...image, picture: undefined, problem: `is also in val, as ${twin}` };
    }),
  );

  const digest = createHash('sha256');
  for (const { sample, hash } of [...trained.used, ...validated.used]) {
    digest.update(`${JSON.stringify([sample.name, sample.label, sample.box, hash])}\n`);
  }
  const pictures = trained.used.map((image) => image.picture);
  return {
    labels: train.labels,
    train: pictures,
    validation: validated.used.map((image) => image.picture),
    skipped: [...trained.skipped, ...validated.skipped],
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

/** An image after its file was read: a picture, or the problem with it. */
interface LoadedImage {
  readonly sample: Sample;
  readonly hash: string;
  readonly picture?: StoredPicture | undefined;
  readonly problem?: string;
}

async function loadImage(
  sample: Sample,
  scale: number,
  limits: ImageLimits,
  room: { bytes: number },
): Promise<LoadedImage> {
  let hash = '';
  try {
    const bytes = await readFile(sample.path);
    hash = createHash('sha256').update(bytes).digest('hex');
    const { width, height, pictures } = await decodeAtScales(bytes, [scale], limits);
    const { pixels, ...size } = pictures[0]!;
    const box = sample.box && scaleBox(sample.box, size.width / width, size.height / height);
    if (box && !isInside(box, size)) {
      return {
        sample,
        hash,
        problem: `its box [${sample.box.join(', ')}] is not in its ${width} x ${height} pixels`,
      };
    }
    const keep = pixels.length <= room.bytes;
    if (keep) room.bytes -= pixels.length;
    const { path, label } = sample;
    return {
      sample,
      hash,
      picture: { path, label, ...size, ...(box && { box }), ...(keep && { pixels: toShared(pixels) }) },
    };
  } catch (error) {
    return { sample, hash, problem: messageOf(error) };
  }
}

/** Splits images into those to use and the list of the others. Throws INVALID_DATASET where these are too many. */
function usable(split: string, images: readonly LoadedImage[]) {
  const used = images.flatMap((image) => (image.picture ? [{ ...image, picture: image.picture }] : []));
  const skipped = images.flatMap((image) =>
    image.picture ? [] : [`${image.sample.path}: ${image.problem}`],
  );
  if (skipped.length > images.length * maxSkippedShare) {
    const share = `${(maxSkippedShare * 100).toFixed(0)} %`;
    throw invalidDataset(
      `expected at most ${share} of the ${images.length} ${split} images to be unusable, ${skipped.length} are: ${examplesOf(skipped)}`,
    );
  }
  return { used, skipped };
}

/** A box may stick out by this part of the side: annotation tools count the last pixel in different ways. */
const boxTolerance = 0.01;

function isInside([x, y, width, height]: PixelBox, picture: { width: number; height: number }): boolean {
  const fits = (start: number, length: number, size: number): boolean =>
    length > 0 && start >= -boxTolerance * size && start + length <= size * (1 + boxTolerance);
  return fits(x, width, picture.width) && fits(y, height, picture.height);
}

function scaleBox([x, y, width, height]: PixelBox, scaleX: number, scaleY: number): PixelBox {
  return [x * scaleX, y * scaleY, width * scaleX, height * scaleY];
}

/** The validation split with the training split's labels. Throws INVALID_DATASET for a class that training lacks. */
function withLabelsOf(train: Listing, validation: Listing): Listing {
  const unknown = validation.labels.filter((label) => !train.labels.includes(label));
  if (unknown.length > 0)
    throw invalidDataset(`classes of val that train does not have: ${examplesOf(unknown)}`);
  const index = validation.labels.map((label) => train.labels.indexOf(label));
  return {
    labels: train.labels,
    samples: validation.samples.map((sample) => ({ ...sample, label: index[sample.label]! })),
  };
}

function toShared(pixels: Uint8Array): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(pixels.length);
  new Uint8Array(buffer).set(pixels);
  return buffer;
}
