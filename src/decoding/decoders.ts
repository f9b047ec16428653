import { VerydeepError } from '../errors.ts';
import type { DecodedImage } from '../image/decode.ts';
import { checkFile } from '../image/header.ts';
import type { ImageLimits } from '../image/limits.ts';
import { threadLimit } from '../processes/threads.ts';
import { createFairQueue } from './fair-queue.ts';
import type { FileHeader } from './protocol.ts';
import { createSlot, decoderOf, tidy } from './slot.ts';

/** As many as can compute at a time; two at least, so that one slow image does not hold up all others. */
export function defaultDecoders(): number {
  return Math.max(2, threadLimit());
}

export interface DecodersOptions {
  /** Images decoded at a time, each in a process of its own. */
  readonly processes: number;
  readonly limits: ImageLimits;
  /** Longest time that one image may take a decoder, in milliseconds. */
  readonly timeoutMs: number;
}

/** An image at a decoder. */
export interface OpenImage {
  readonly header: FileHeader;
  /** Time that it has taken the decoder so far, in milliseconds. */
  spentMs(): number;
  /** See `decodeWithHeader`. Throws CORRUPT_IMAGE, UNSUPPORTED_IMAGE, IMAGE_TOO_COMPLEX (the time limit). */
  decode(scales: readonly number[]): Promise<DecodedImage>;
}

export interface DecodeRequest {
  /** Whose image it is: clients take turns. */
  readonly client: string;
  /** Aborted when nobody waits for the image any more: its decoder is free, or ended, soon after. */
  readonly signal: AbortSignal;
}

/** Child processes that decode images, each one at a time. */
export interface Decoders {
  /**
   * Opens an image when its client's turn comes, and holds its decoder until `work` is done. Rejects with what `work`
   * throws, with the signal's reason when it is aborted (at once if the image waits, else within 0.1 s), and with
   * NO_IMAGE, FILE_TOO_LARGE, TOO_MANY_PIXELS, IMAGE_TOO_COMPLEX, UNSUPPORTED_IMAGE, CORRUPT_IMAGE.
   */
  use<T>(bytes: Uint8Array, request: DecodeRequest, work: (image: OpenImage) => Promise<T>): Promise<T>;
  /** Ends all, in the middle of an image as well. */
  dispose(): Promise<void>;
}

export function createDecoders({ processes, limits, timeoutMs }: DecodersOptions): Decoders {
  const slots = Array.from({ length: processes }, createSlot);
  const queue = createFairQueue(slots);
  const closing = new AbortController();

  return {
    async use(bytes, { client, signal: callers }, work) {
      checkFile(bytes, limits);
      const signal = AbortSignal.any([callers, closing.signal]);
      const slot = await queue.acquire(client, signal);
      const decoder = decoderOf(slot, { limits, timeoutMs, signal });
      try {
        const header = await decoder.open(bytes);
        signal.throwIfAborted();
        return await work({ header, decode: decoder.decode, spentMs: decoder.spentMs });
      } finally {
        if (!closing.signal.aborted) tidy(slot);
        queue.release(slot);
      }
    },
    async dispose() {
      closing.abort(new VerydeepError('NOT_READY', 'the decoders are shut down'));
      await Promise.all(slots.map(({ process }) => process.end()));
    },
  };
}
