import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pMap, { pMapSkip } from 'p-map';
import { filesAtOnce, type Listing, type Sample } from '../../datasets/listing.ts';
import { readHeader } from '../../image/header.ts';
import type { ImageLimits } from '../../image/limits.ts';
import { rescaledSize, type Size } from '../../image/rescale.ts';
import { unreadableReason } from '../../image/unreadable.ts';

/** An image whose header could be read. */
export interface CheckedImage extends Size {
  readonly sample: Sample;
  /** Name of the class. */
  readonly label: string;
  /** Hash of its content, its label and its box. */
  readonly digest: string;
}

export interface UnreadableImage {
  readonly name: string;
  readonly reason: string;
}

export interface CheckedImages {
  readonly images: readonly CheckedImage[];
  readonly unreadable: readonly UnreadableImage[];
}

/**
 * Reads and hashes every image of a split and looks at its header; in the listing's order. `undefined` if it was
 * aborted.
 */
export async function checkImages(
  { labels, samples }: Listing,
  limits: ImageLimits,
  signal: AbortSignal,
): Promise<CheckedImages | undefined> {
  const checked = await pMap(
    samples,
    (sample) => (signal.aborted ? pMapSkip : check(sample, labels[sample.label]!, limits)),
    { concurrency: filesAtOnce },
  );
  if (signal.aborted) return undefined;
  return {
    images: checked.filter((image) => 'digest' in image),
    unreadable: checked.filter((image) => 'reason' in image),
  };
}

export interface GroupOptions {
  /** Floating-point operations of all that is run over an image. */
  readonly workOf: (image: CheckedImage) => number;
  readonly maxWork: number;
  readonly maxImages: number;
}

/**
 * Splits images into groups that can share every batch: of one shape at every scale, with or without a box, at most
 * `maxImages`, and of at most `maxWork` if that is more than one. Depends on nothing else, so that
 * an evaluation that is resumed makes the same batches.
 */
export function groupImages(
  images: readonly CheckedImage[],
  scales: readonly number[],
  { workOf, maxWork, maxImages }: GroupOptions,
): CheckedImage[][] {
  const shapes = new Map<string, CheckedImage[]>();
  for (const image of images) {
    const sizes = scales.map((scale) => rescaledSize(image.width, image.height, scale));
    const key = JSON.stringify([sizes, image.sample.box !== undefined]);
    const alike = shapes.get(key) ?? [];
    alike.push(image);
    shapes.set(key, alike);
  }
  return [...shapes.values()].flatMap((alike) => {
    const size = Math.min(maxImages, Math.max(1, Math.floor(maxWork / workOf(alike[0]!))));
    const groups = Math.ceil(alike.length / size);
    return Array.from({ length: groups }, (_, i) => alike.slice(i * size, (i + 1) * size));
  });
}

// --- helpers ---

async function check(
  sample: Sample,
  label: string,
  limits: ImageLimits,
): Promise<CheckedImage | UnreadableImage> {
  try {
    const bytes = await readFile(sample.path);
    const { width, height } = await readHeader(bytes, limits);
    const digest = createHash('sha256')
      .update(JSON.stringify([label, sample.box ?? null]))
      .update(bytes)
      .digest('hex');
    return { sample, label, digest, width, height };
  } catch (error) {
    return { name: sample.name, reason: unreadableReason(error) };
  }
}
