import type { Picture } from './picture.ts';

/** Pixels of 16 bits, `[height, width, channels]`. */
export interface DeepPicture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly samples: Uint16Array;
}

/** To 8 bits, and on white if the fourth channel is there: alpha. Other numbers of channels are passed on. */
export function flattenDeep({ width, height, channels, samples }: DeepPicture): Picture {
  if (channels !== 4) return { width, height, pixels: Uint8Array.from(samples, toByte) };
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < samples.length; from += 4, to += 3) {
    const alpha = samples[from + 3]! / white;
    for (let c = 0; c < 3; c++) {
      pixels[to + c] = toByte(samples[from + c]! * alpha + white * (1 - alpha));
    }
  }
  return { width, height, pixels };
}

// --- helpers ---

const white = 65_535;

function toByte(sample: number): number {
  return Math.round(sample / 257);
}
