import type { ImageFormat } from '../format.ts';
import { inspectAvif } from './avif.ts';
import { inspectJpeg } from './jpeg.ts';
import { inspectPng } from './png.ts';
import { inspectTiff } from './tiff.ts';
import type { Variant } from './variant.ts';

const inspectors: Readonly<Record<ImageFormat, (file: Buffer) => Variant>> = {
  jpeg: inspectJpeg,
  png: inspectPng,
  tiff: inspectTiff,
  avif: inspectAvif,
  webp: () => ({}),
  gif: () => ({}),
};

/** Reads the structure of a file of known format; no pixel is decoded. */
export function inspectVariant(format: ImageFormat, bytes: Uint8Array): Variant {
  return inspectors[format](Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
