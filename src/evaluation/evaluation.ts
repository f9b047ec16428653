import type { Precision } from '../engine/precision.ts';
import type { PixelBox } from '../image/box.ts';
import type { View } from '../inference/options.ts';
import type { ArchitectureName, Head } from '../network/architecture.ts';

/**
 * What an evaluation measured: plain JSON, as `verydeep evaluate --json` prints it. Shares are 0 to 1, sizes in pixels.
 * Networks are called by their names here: `d`, or `mine/d` where several ensembles or run folders are compared.
 */
export interface Evaluation {
  readonly format: 1;
  readonly data: EvaluatedData;
  readonly engine: {
    readonly engine: string;
    readonly device: string;
    readonly precision: Precision;
  };
  readonly networks: readonly EvaluatedNetwork[];
  /** Each combination once; `comparisons` arrange them. */
  readonly classification: readonly ClassificationRow[];
  /** Empty where localisation was not asked for. */
  readonly localisation: readonly LocalisationRow[];
  /** The tables, in the paper's order. */
  readonly comparisons: readonly Comparison[];
  readonly skipped: SkippedImages;
}

export interface EvaluatedData {
  /** As it was given. */
  readonly folder: string;
  /** `val`, `test`, ... */
  readonly split: string;
  /** `sha256:` and the hash of names, labels, boxes and contents of the images measured. */
  readonly digest: string;
  /** Images measured, and how many of them have a box. */
  readonly images: number;
  readonly boxes: number;
  /** Classes of which there are images. */
  readonly classes: number;
}

export interface EvaluatedNetwork {
  readonly name: string;
  readonly architecture: ArchitectureName;
  readonly width: number;
  readonly fc: number;
  readonly crop: number;
  readonly head: Head;
  readonly classes: number;
  /** Weights and biases. */
  readonly parameters: number;
  /** Smallest side S of its training pictures: one value twice, or a range (scale jittering). */
  readonly trainingScale: { readonly min: number; readonly max: number };
  /** Layers that were tuned; only of run folders that say so. */
  readonly trainable?: 'all' | 'fullyConnected';
  /** Where it is known: the best epoch of its training, and what it had right of that training's validation split. */
  readonly validation?: { readonly epoch: number; readonly accuracy: number };
  readonly source:
    | {
        readonly kind: 'ensemble';
        readonly ensemble: string;
        readonly version: string;
        readonly digest: string;
      }
    /** `folder` as it was given: its `log.jsonl` has the training's curves. */
    | { readonly kind: 'run'; readonly folder: string; readonly digest: string };
}

/** A network and the smallest sides Q at which it looks at the pictures. */
export interface Member {
  readonly network: string;
  readonly scales: readonly number[];
}

export interface ClassMetrics {
  readonly top1: number;
  readonly top5: number;
  /** Mean over the classes of each one's top-1: the measure of Caltech-101 (paper, appendix B). */
  readonly meanPerClass: number;
}

/** The mean of its members' posteriors over all their scales, flips and views. */
export interface ClassificationRow extends ClassMetrics {
  readonly members: readonly Member[];
  /** With the mirror images. */
  readonly flip: boolean;
  readonly view: View;
  /** In order of the labels. */
  readonly perClass: readonly ClassShare[];
  /** Of the worst classes, worst first. */
  readonly confusions: readonly Confusion[];
  /** The most confident ones first. */
  readonly mistakes: readonly Mistake[];
}

export interface ClassShare {
  readonly label: string;
  readonly images: number;
  readonly top1: number;
  readonly top5: number;
}

/** What a class was taken for. */
export interface Confusion {
  readonly label: string;
  readonly images: number;
  readonly top1: number;
  /** Wrong answers, the most frequent first. */
  readonly takenFor: readonly { readonly label: string; readonly images: number }[];
}

export interface RankedGuess {
  readonly label: string;
  readonly probability: number;
}

export interface Mistake {
  /** `CLASS/NAME.jpg` */
  readonly name: string;
  readonly path: string;
  readonly label: string;
  /** How many classes come before the true one: at least 1. */
  readonly rank: number;
  /** The first five. */
  readonly guesses: readonly RankedGuess[];
}

/**
 * Boxes of one localisation network, or the union of several, on the images that have one (paper, appendix A). A box is
 * right where its intersection over union with the true one is over 0.5.
 */
export interface LocalisationRow {
  /**
   * `centralCrop`: the box of the true class that the network predicts from the central crop (Table 8).
   * `wholeImage`: boxes of all windows, scales and mirror images, merged.
   */
  readonly method: 'centralCrop' | 'wholeImage';
  readonly localisers: readonly string[];
  /** Whose classes they are, and whose posteriors weigh the windows; none with `centralCrop`. */
  readonly classifiers: readonly string[];
  readonly scales: readonly number[];
  readonly flip: boolean;
  readonly images: number;
  /** Share of wrong boxes where the class is known. */
  readonly trueClassError: number;
  /** ILSVRC's: of one and of five (class, box) guesses none is right; only with `wholeImage`. */
  readonly top1Error?: number;
  readonly top5Error?: number;
  /** Of `top5Error`, or with `centralCrop` of `trueClassError`; in order of the labels. */
  readonly perClass: readonly { readonly label: string; readonly images: number; readonly error: number }[];
  /** Wrong ones first. */
  readonly examples: readonly LocalisationExample[];
}

/** Boxes are in pixels of the image as displayed: left, top, width, height. */
export interface LocalisationExample {
  readonly name: string;
  readonly path: string;
  /** Of the image. */
  readonly width: number;
  readonly height: number;
  readonly label: string;
  readonly truth: PixelBox;
  /** Up to five, the most probable class first; with `centralCrop` one, of probability 1. */
  readonly guesses: readonly (RankedGuess & { readonly box: PixelBox })[];
  readonly right: boolean;
}

/** One table. */
export interface Comparison {
  readonly title: string;
  /** What it is in the paper: `Table 3`. */
  readonly paper: string;
  readonly kind: 'classification' | 'localisation';
  /** Indices into `classification` or `localisation`. */
  readonly rows: readonly number[];
}

export interface SkippedImages {
  /** Classes that not all compared networks know, and how many images of them were left out. */
  readonly unknownClasses: readonly { readonly label: string; readonly images: number }[];
  readonly unreadable: readonly { readonly name: string; readonly reason: string }[];
}
