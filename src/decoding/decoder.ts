/**
 * The program of a decoder: a child process that decodes one image at a time, so that a file that takes for ever or
 * crashes the decoder is ended with it, and no image is told another's reason.
 */
import { decodeWithHeader } from '../image/decode.ts';
import { type ImageHeader, readHeader } from '../image/header.ts';
import type { ImageLimits } from '../image/limits.ts';
import { answerCalls } from '../processes/answer-calls.ts';
import type { DecoderCalls } from './protocol.ts';

let image: { bytes: Uint8Array; limits: ImageLimits; header: ImageHeader } | undefined;

answerCalls<DecoderCalls>(async (request) => {
  switch (request.call) {
    case 'open': {
      const { bytes, limits } = request.argument;
      const header = await readHeader(bytes, limits);
      image = { bytes, limits, header };
      const { format, width, height } = header;
      return { format, width, height };
    }
    case 'decode': {
      const { bytes, header, limits } = image!;
      return decodeWithHeader(bytes, header, request.argument.scales, limits);
    }
    case 'close':
      image = undefined;
      return undefined;
  }
});
