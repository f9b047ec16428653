import { VerydeepError } from '../errors.ts';

/** What an image may be at most. Checked before anything is decoded. */
export interface ImageLimits {
  readonly maxFileBytes: number;
  /** Width times height of one frame, as its header says. */
  readonly maxPixels: number;
}

/** Of files that the operator has on disk: only what cannot be a photograph is refused. */
export const ownImageLimits: ImageLimits = { maxFileBytes: 2 ** 28, maxPixels: 2 ** 28 };

/** `receivedBytes` is the size of the file, unless nobody counted it to its end. */
export function fileTooLarge(maxFileBytes: number, receivedBytes?: number | string): VerydeepError {
  return new VerydeepError(
    'FILE_TOO_LARGE',
    `expected a file of at most ${maxFileBytes} bytes, received ${receivedBytes ?? 'more'}`,
  );
}
