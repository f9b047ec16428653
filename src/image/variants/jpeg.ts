import { structureLimits, tooMany, type Variant } from './variant.ts';

/** Names of the frame types that libjpeg does not decode, by their marker (ITU T.81, Table B.1). */
const undecodedFrames: Readonly<Record<number, string>> = {
  195: 'with lossless coding',
  197: 'with hierarchical coding',
  198: 'with hierarchical coding',
  199: 'with hierarchical coding',
  203: 'with lossless coding',
  205: 'with hierarchical coding',
  206: 'with hierarchical coding',
  207: 'with hierarchical coding',
};

const startOfScan = 0xda;
const endOfImage = 0xd9;

/** Walks the markers of a JPEG to its end. A file that breaks off is left to the decoder. */
export function inspectJpeg(file: Buffer): Variant {
  let scans = 0;
  let at = 2; // after the start of the image
  while (at + 4 <= file.length) {
    if (file[at] !== 0xff) return {}; // not where a marker has to be: the decoder says why
    const marker = file[at + 1]!;
    if (marker === endOfImage) break;
    if (marker === 0xff || isBare(marker)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    const length = file.readUInt16BE(at + 2);
    const undecoded = undecodedFrames[marker];
    if (undecoded !== undefined) return { unsupported: undecoded };
    if (isFrame(marker)) {
      const precision = file[at + 4];
      const components = file[at + 9];
      if (precision !== undefined && precision !== 8) return { unsupported: `of ${precision} bits a sample` };
      if (components === 2 || (components !== undefined && components > 4)) {
        return { unsupported: `of ${components} components` };
      }
    }
    at += 2 + length;
    if (marker === startOfScan) {
      if (++scans > structureLimits.jpegScans) return { excess: tooMany('scans', structureLimits.jpegScans) };
      at = endOfScan(file, at);
    }
  }
  return {};
}

// --- helpers ---

/** Start of frame, of any kind; 0xc4, 0xc8 and 0xcc are tables. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Markers without a length: restarts, start of image, and 0x01. */
function isBare(marker: number): boolean {
  return (marker >= 0xd0 && marker <= 0xd8) || marker === 0x01;
}

/** The first marker after entropy-coded data, in which 0xff is followed by 0 or by a restart. */
function endOfScan(file: Buffer, from: number): number {
  for (let at = file.indexOf(0xff, from); at >= 0; at = file.indexOf(0xff, at + 1)) {
    const next = file[at + 1];
    if (next === undefined) break;
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  return file.length;
}
