import type { DecodedImage } from '../image/decode.ts';
import type { ImageFormat } from '../image/format.ts';
import type { ImageLimits } from '../image/limits.ts';
import type { Size } from '../image/rescale.ts';

/** What a file says of itself: its format, and its size in pixels as displayed. */
export interface FileHeader extends Size {
  readonly format: ImageFormat;
}

/** What a decoder can be asked to do. It holds one image at a time, the one that it opened last. */
export type DecoderCalls = {
  open: {
    argument: { readonly bytes: Uint8Array; readonly limits: ImageLimits };
    answer: FileHeader;
  };
  decode: { argument: { readonly scales: readonly number[] }; answer: DecodedImage };
  close: { argument: undefined; answer: undefined };
};
