import { structureLimits, tooMany, type Variant } from './variant.ts';

/**
 * Chunks that bear on the picture. All others, texts above all, are left out: libpng inflates each to up to 8 MB before
 * the first pixel, so a small file of many takes seconds.
 */
const kept = new Set([
  'IHDR',
  'PLTE',
  'IDAT',
  'IEND',
  'tRNS',
  'gAMA',
  'cHRM',
  'sRGB',
  'iCCP',
  'sBIT',
  'cICP',
  'eXIf',
]);

const signatureBytes = 8;
/** Length, type and checksum of a chunk. */
const frameBytes = 12;

/** Walks the chunks of a PNG. A file that breaks off is left to the decoder. */
export function inspectPng(file: Buffer): Variant {
  const parts: Buffer[] = [file.subarray(0, signatureBytes)];
  let isWhole = true;
  let at = signatureBytes;
  for (let chunks = 0; at + frameBytes <= file.length; chunks++) {
    if (chunks >= structureLimits.pngChunks) return { excess: tooMany('chunks', structureLimits.pngChunks) };
    const type = file.toString('latin1', at + 4, at + 8);
    const end = at + frameBytes + file.readUInt32BE(at);
    if (kept.has(type)) parts.push(file.subarray(at, end));
    else isWhole = false;
    at = end;
    if (type === 'IEND') break;
  }
  return isWhole ? {} : { bytes: Buffer.concat(parts) };
}
