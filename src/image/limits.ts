/** What an image may be at most. Checked before anything is decoded. */
export interface ImageLimits {
  readonly maxFileBytes: number;
  /** Width times height of one frame, as its header says. */
  readonly maxPixels: number;
}
