/** What a file says of itself beyond its format and size, read from its structure alone, before any decoder sees it. */
export interface Variant {
  /** A variant that is not decoded, in words that follow the name of the format: `with LZMA compression`. */
  readonly unsupported?: string;
  /** What costs more than it may: `expected at most 50 scans, received 800`. */
  readonly excess?: string;
  /** What the decoder gets in place of the file. */
  readonly bytes?: Uint8Array;
  /** The sample after the colours is not alpha, though the decoder takes it for that. */
  readonly ignoresAlpha?: boolean;
  /** Grey is stored from 16 to 235 (of 255), and the decoder leaves it so. */
  readonly isLimitedGrey?: boolean;
}

/** Bounds on the structure of a file (docs/images.md). Photographs stay far below all of them. */
export const structureLimits = {
  /** Of any side, in pixels: JPEG's own. */
  side: 65_535,
  /** Passes of a progressive JPEG, each over all coefficients; encoders write about ten. */
  jpegScans: 50,
  /** Pages of a TIFF: the decoder counts them all to read the first. */
  tiffPages: 2000,
  /** Chunks of a PNG. */
  pngChunks: 100_000,
} as const;

/** Words for {@link Variant.excess}. */
export function tooMany(things: string, limit: number): string {
  return `expected at most ${limit} ${things}, received more`;
}
