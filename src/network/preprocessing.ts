/**
 * How the pixels are prepared before the first layer; belongs to the weights (paper, 2.1):
 * `(pixel x scale - mean) / std` for each channel, in the order of the weights' own channels.
 */
export interface Preprocessing {
  readonly channelOrder: 'rgb' | 'bgr';
  /** Factor from 0..255 to the range of `mean` and `std`: 1, or 1/255. */
  readonly scale: number;
  /** In `channelOrder`. */
  readonly mean: readonly [number, number, number];
  /** In `channelOrder`. */
  readonly std: readonly [number, number, number];
}
