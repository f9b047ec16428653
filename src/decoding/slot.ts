import { VerydeepError } from '../errors.ts';
import type { DecodedImage } from '../image/decode.ts';
import type { ImageLimits } from '../image/limits.ts';
import { type CallableProcess, startCallableProcess } from '../processes/calls.ts';
import { programBeside } from '../processes/programs.ts';
import type { DecoderCalls, FileHeader } from './protocol.ts';

/** A place for one image, and the process that decodes it: another one once it was ended. */
export interface Slot {
  process: CallableProcess<DecoderCalls>;
  /** Fulfilled when it answers, or has ended: its start is not the image's time. */
  started: Promise<unknown>;
}

export function createSlot(): Slot {
  const process = startDecoder();
  return { process, started: process.call('close', undefined).catch(() => undefined) };
}

/** A decoder that nobody waits for may finish its image in this time: starting another one takes longer. */
const graceMs = 100;

/** A process that has grown beyond is replaced: what large images leave in the allocator is not given back. */
const maxIdleBytes = 2 ** 29;

export interface SlotDecoder {
  open(bytes: Uint8Array): Promise<FileHeader>;
  /** Of the image that was opened. */
  decode(scales: readonly number[]): Promise<DecodedImage>;
  spentMs(): number;
}

/**
 * Decodes one image in a slot. Its process is ended when the image has taken it longer than `timeoutMs` (IMAGE_TOO_COMPLEX),
 * and when `signal` is aborted and it does not finish soon (the signal's reason). A process that dies by itself is started
 * again, once (CORRUPT_IMAGE).
 */
export function decoderOf(
  slot: Slot,
  {
    limits,
    timeoutMs,
    signal,
  }: { readonly limits: ImageLimits; readonly timeoutMs: number; readonly signal: AbortSignal },
): SlotDecoder {
  let spentMs = 0;
  let hasDied = false;
  let opened: Uint8Array | undefined;

  async function call<Name extends 'open' | 'decode'>(
    name: Name,
    argument: DecoderCalls[Name]['argument'],
  ): Promise<DecoderCalls[Name]['answer']> {
    await slot.started;
    signal.throwIfAborted();
    const { process } = slot;
    const startedMs = performance.now();
    let reason: unknown;
    const endWith = (why: unknown): void => {
      reason ??= why;
      void process.end();
    };
    const timer = setTimeout(() => endWith(tooLong(timeoutMs)), timeoutMs - spentMs);
    let grace: NodeJS.Timeout | undefined;
    const abandon = (): void => {
      grace = setTimeout(() => endWith(signal.reason), graceMs);
    };
    signal.addEventListener('abort', abandon, { once: true });
    try {
      return await process.call(name, argument);
    } catch (error) {
      if (!process.lost.aborted) throw error; // the image is refused
      Object.assign(slot, createSlot());
      if (reason !== undefined) throw reason;
      if (hasDied) throw error;
      hasDied = true;
      if (name === 'decode') await call('open', { bytes: opened!, limits });
      return call(name, argument);
    } finally {
      clearTimeout(timer);
      clearTimeout(grace);
      signal.removeEventListener('abort', abandon);
      spentMs += performance.now() - startedMs;
    }
  }

  return {
    open(bytes) {
      opened = bytes;
      return call('open', { bytes, limits });
    },
    decode: (scales) => call('decode', { scales }),
    spentMs: () => spentMs,
  };
}

/** Lets the process forget its image, or replaces it if it has grown. */
export function tidy(slot: Slot): void {
  const { process } = slot;
  if (process.rssBytes() > maxIdleBytes || process.lost.aborted) {
    Object.assign(slot, createSlot());
    void process.end();
  } else {
    process.call('close', undefined).catch(() => undefined); // lost: found out with the next image
  }
}

// --- helpers ---

function startDecoder(): CallableProcess<DecoderCalls> {
  return startCallableProcess<DecoderCalls>({
    program: programBeside(import.meta.url, './decoder'),
    name: 'image decoder',
    lostError: (reason) =>
      new VerydeepError('CORRUPT_IMAGE', 'expected an image that can be decoded, its decoder crashed', {
        cause: new Error(reason),
      }),
    failedCode: 'INTERNAL',
  });
}

function tooLong(timeoutMs: number): VerydeepError {
  return new VerydeepError(
    'IMAGE_TOO_COMPLEX',
    `expected an image that is decoded within ${timeoutMs} ms, this one takes longer`,
  );
}
