import { intersectionOverUnion, type PixelBox } from '../training/box.ts';

/** How one image was classified: its class, and how many classes were put before it. */
export interface RankedImage {
  readonly label: number;
  readonly rank: number;
}

/** Shares of images, 0 to 1. */
export interface ClassMetrics {
  readonly top1: number;
  readonly top5: number;
  /** Mean over the classes of each one's top-1: the measure of Caltech-101 (paper, appendix B). */
  readonly meanPerClass: number;
}

export function classMetrics(images: readonly RankedImage[]): ClassMetrics {
  const share = (some: readonly RankedImage[], places: number): number =>
    some.filter(({ rank }) => rank < places).length / some.length;
  const classes = new Map<number, RankedImage[]>();
  for (const image of images) {
    const own = classes.get(image.label) ?? [];
    own.push(image);
    classes.set(image.label, own);
  }
  const perClass = [...classes.values()].map((own) => share(own, 1));
  return {
    top1: share(images, 1),
    top5: share(images, 5),
    meanPerClass: perClass.reduce((sum, value) => sum + value, 0) / perClass.length,
  };
}

/** A (class, box) guess; the box in pixels of the image. */
export interface Guess {
  readonly label: number;
  readonly box: PixelBox;
}

const guessCount = 5;
const minOverlap = 0.5;

/** ILSVRC's measure of localisation: among five guesses one has the right class and an IoU over 0.5 with the true box. */
export function isLocalised(guesses: readonly Guess[], truth: Guess): boolean {
  return guesses
    .slice(0, guessCount)
    .some(({ label, box }) => label === truth.label && intersectionOverUnion(box, truth.box) > minOverlap);
}
