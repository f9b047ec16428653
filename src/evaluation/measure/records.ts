import type { PixelBox } from '../../image/box.ts';

/** What was found out about one image, for every row: all that the metrics need. Plain JSON. */
export interface ImageRecord {
  /** `CLASS/NAME.jpg` */
  readonly name: string;
  /** Hash of its content, its label and its box. */
  readonly digest: string;
  /** Of the image as displayed, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Why it could not be decoded; there are no answers then. */
  readonly problem?: string;
  /** One for each classification row. */
  readonly classification: readonly ClassAnswer[];
  /** One for each localisation row; none if the image has no box. */
  readonly localisation: readonly BoxAnswer[];
}

export interface ClassAnswer {
  /** How many classes come before the true one. */
  readonly rank: number;
  /** The first five classes, by their place among the labels of the row, and their posteriors. */
  readonly top: readonly (readonly [index: number, probability: number])[];
}

/** Boxes in pixels of the image; null if a network answers none for the class. */
export interface BoxAnswer {
  readonly trueClass: PixelBox | null;
  /** Of the first five classes; with `centralCrop` none. */
  readonly guesses: readonly {
    readonly index: number;
    readonly probability: number;
    readonly box: PixelBox | null;
  }[];
}

/** Guesses of which one must be right (ILSVRC). */
export const guessCount = 5;
