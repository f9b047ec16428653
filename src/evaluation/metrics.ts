import { boxOf, intersectionOverUnion, type PixelBox } from '../image/box.ts';
import type { ClassMetrics, ClassShare, Confusion } from './evaluation.ts';

/** How one image was classified: its class, how many classes were put before it, and the first one. */
export interface RankedImage {
  readonly label: string;
  readonly rank: number;
  readonly answer: string;
}

export function classMetrics(images: readonly RankedImage[]): ClassMetrics {
  const perClass = classShares(images);
  return {
    top1: share(images, 1),
    top5: share(images, 5),
    meanPerClass: perClass.reduce((sum, { top1 }) => sum + top1, 0) / perClass.length,
  };
}

/** Of each class that has images, in order of the labels. */
export function classShares(images: readonly RankedImage[]): ClassShare[] {
  return [...byLabel(images)].map(([label, own]) => ({
    label,
    images: own.length,
    top1: share(own, 1),
    top5: share(own, 5),
  }));
}

/** What the `count` classes with the lowest top-1 are taken for; classes without a mistake are left out. */
export function worstConfusions(images: readonly RankedImage[], count: number): Confusion[] {
  const confusions = [...byLabel(images)].map(([label, own]): Confusion => {
    const answers = new Map<string, number>();
    for (const { rank, answer } of own) if (rank > 0) answers.set(answer, (answers.get(answer) ?? 0) + 1);
    const takenFor = [...answers]
      .map(([answer, times]) => ({ label: answer, images: times }))
      .sort((a, b) => b.images - a.images || compare(a.label, b.label));
    return { label, images: own.length, top1: share(own, 1), takenFor };
  });
  return confusions
    .filter(({ top1 }) => top1 < 1)
    .sort((a, b) => a.top1 - b.top1 || b.images - a.images || compare(a.label, b.label))
    .slice(0, count);
}

const minOverlap = 0.5;

/** Whether a box is right: an intersection over union with the true one of more than one half (ILSVRC). */
export function isRightBox(box: PixelBox | null, truth: PixelBox): boolean {
  return box !== null && intersectionOverUnion(boxOf(box), boxOf(truth)) > minOverlap;
}

/** A (class, box) guess; without a box it is wrong. */
export interface Guess {
  readonly label: string;
  readonly box: PixelBox | null;
}

/** ILSVRC's measure of localisation: one of the first `count` guesses has the right class and a right box. */
export function isLocalised(
  guesses: readonly Guess[],
  truth: { readonly label: string; readonly box: PixelBox },
  count: number,
): boolean {
  return guesses
    .slice(0, count)
    .some(({ label, box }) => label === truth.label && isRightBox(box, truth.box));
}

/** By label, in order of the labels' UTF-16 code units. */
export function byLabel<Item extends { readonly label: string }>(
  items: readonly Item[],
): Map<string, readonly Item[]> {
  const classes = new Map<string, Item[]>();
  for (const item of items) {
    const own = classes.get(item.label) ?? [];
    own.push(item);
    classes.set(item.label, own);
  }
  return new Map([...classes].sort(([a], [b]) => compare(a, b)));
}

// --- helpers ---

function share(images: readonly RankedImage[], places: number): number {
  return images.filter(({ rank }) => rank < places).length / images.length;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
