/** What an image may be at most. Checked before anything is decoded. */
export interface ImageLimits {
  readonly maxFileBytes: number;
  /** Width times height of one frame, as its header says. */
  readonly maxPixels: number;
}

/** Of files that the operator has on disk: only what cannot be a photograph is refused. */
export const ownImageLimits: ImageLimits = { maxFileBytes: 2 ** 28, maxPixels: 2 ** 28 };
