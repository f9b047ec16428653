import { structureLimits, tooMany, type Variant } from './variant.ts';

/** Tags of a TIFF directory that decide whether and how a picture is decoded (TIFF 6.0). */
const tags = {
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  samplesPerPixel: 277,
  planarConfiguration: 284,
  tileWidth: 322,
  extraSamples: 338,
  sampleFormat: 339,
} as const;

/** None, CCITT (three), LZW, JPEG (two), Deflate, PackBits, Deflate, WebP. */
const compressions = new Set([1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 50001]);
const jpegCompressions = new Set([6, 7]);

const undecodedCompressions: Readonly<Record<number, string>> = {
  34661: 'JBIG',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34925: 'LZMA',
  50000: 'Zstandard',
  50002: 'JPEG XL',
};

/** Colours of the photometric interpretations that are decoded. */
const colours: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3 };
const palette = 3;
const yCbCr = 6;
const undecodedPhotometrics: Readonly<Record<number, string>> = {
  4: 'a transparency mask',
  8: 'CIELAB colours',
  9: 'ICCLAB colours',
  10: 'ITULAB colours',
  32803: 'the samples of a colour filter array',
  34892: 'linear raw samples',
};

/** Reads the first directory of a TIFF and counts the others. What cannot be followed is left to the decoder. */
export function inspectTiff(file: Buffer): Variant {
  const reader = readerOf(file);
  const first = reader.directoryAt(reader.firstOffset);
  if (first === undefined) return {};
  const { photometric, samples, extra } = describe(first);
  const unsupported = undecoded(first);
  if (unsupported !== undefined) return { unsupported };
  if (!fewPages(reader)) return { excess: tooMany('pages', structureLimits.tiffPages) };
  const spare = samples - colours[photometric]!;
  // 1: premultiplied alpha, 2: straight alpha, 0: unspecified. An absent tag says nothing either.
  return spare === 0 || extra === 1 || extra === 2 ? {} : { ignoresAlpha: true };
}

// --- helpers ---

type Directory = ReadonlyMap<number, readonly number[]>;

function describe(directory: Directory) {
  const first = (tag: number, otherwise: number): number => directory.get(tag)?.[0] ?? otherwise;
  return {
    photometric: first(tags.photometric, 1),
    compression: first(tags.compression, 1),
    bits: first(tags.bitsPerSample, 1),
    samples: first(tags.samplesPerPixel, 1),
    extra: first(tags.extraSamples, 0),
    format: first(tags.sampleFormat, 1),
    isPlanar: first(tags.planarConfiguration, 1) === 2,
    isTiled: directory.has(tags.tileWidth),
  };
}

/** The name of a variant that is not decoded. */
function undecoded(directory: Directory): string | undefined {
  const { photometric, compression, bits, samples, format, isPlanar, isTiled } = describe(directory);
  if (!compressions.has(compression)) {
    return `with ${undecodedCompressions[compression] ?? `compression ${compression}`} compression`;
  }
  const own = colours[photometric];
  if (own === undefined) {
    return `of ${undecodedPhotometrics[photometric] ?? `photometric interpretation ${photometric}`}`;
  }
  if (photometric === yCbCr && !jpegCompressions.has(compression)) return 'of YCbCr samples without JPEG';
  if (format === 3) return 'of floating-point samples'; // nobody says what white is
  if (format !== 1 && format !== 4) return `of sample format ${format}`;
  const allBits = directory.get(tags.bitsPerSample) ?? [1];
  if (allBits.some((each) => each !== bits)) return `of ${allBits.join(', ')} bits a sample`;
  const allowed = own > 1 ? [8, 16] : photometric === palette ? [1, 2, 4, 8] : [1, 2, 4, 8, 16];
  if (!allowed.includes(bits)) return `of ${bits} bits a sample`;
  if (samples < own || samples > own + 1) return `of ${samples} samples a pixel`;
  if (isPlanar && isTiled && samples > 1) return 'of tiled planes';
  return undefined;
}

interface Reader {
  readonly firstOffset: number;
  /** The tags of interest of a directory; undefined if it is not in the file. */
  directoryAt(offset: number): Directory | undefined;
  /** Offset of the directory after the one at `offset`; 0 or undefined at the end. */
  next(offset: number): number | undefined;
}

function fewPages(reader: Reader): boolean {
  let offset: number | undefined = reader.firstOffset;
  for (let pages = 0; pages < structureLimits.tiffPages; pages++) {
    offset = reader.next(offset);
    if (offset === undefined || offset === 0) return true;
  }
  return false;
}

/** Byte order and size of offsets: classic TIFF has 4 bytes, BigTIFF 8. */
function readerOf(file: Buffer): Reader {
  const isLittle = file[0] === 0x49;
  const isBig = file[isLittle ? 2 : 3] === 43;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const short = (at: number): number => view.getUint16(at, isLittle);
  const offsetAt = (at: number): number =>
    isBig ? Number(view.getBigUint64(at, isLittle)) : view.getUint32(at, isLittle);
  const countBytes = isBig ? 8 : 2;
  const entryBytes = isBig ? 20 : 12;
  const offsetBytes = isBig ? 8 : 4;
  const wanted: ReadonlySet<number> = new Set(Object.values(tags));

  const entriesAt = (offset: number): number | undefined => {
    if (offset + countBytes > file.length) return undefined;
    const entries = isBig ? offsetAt(offset) : short(offset);
    return offset + countBytes + entries * entryBytes + offsetBytes <= file.length ? entries : undefined;
  };

  /** Values of type SHORT, the only one of the tags of interest but for sizes in LONG. */
  const valuesAt = (entry: number): number[] => {
    const type = short(entry + 2);
    const bytes = type === 3 ? 2 : 4;
    const count = Math.min(offsetAt(entry + 4), 16);
    const inline = entry + 4 + offsetBytes;
    const at = count * bytes <= offsetBytes ? inline : offsetAt(inline);
    if (at + count * bytes > file.length) return [];
    return Array.from({ length: count }, (_, i) =>
      bytes === 2 ? short(at + 2 * i) : view.getUint32(at + 4 * i, isLittle),
    );
  };

  return {
    firstOffset: file.length >= 16 ? offsetAt(isBig ? 8 : 4) : file.length,
    directoryAt(offset) {
      const entries = entriesAt(offset);
      if (entries === undefined) return undefined;
      const directory = new Map<number, readonly number[]>();
      for (let i = 0; i < entries; i++) {
        const entry = offset + countBytes + i * entryBytes;
        const tag = short(entry);
        if (wanted.has(tag)) directory.set(tag, valuesAt(entry));
      }
      return directory;
    },
    next(offset) {
      const entries = entriesAt(offset);
      return entries === undefined ? undefined : offsetAt(offset + countBytes + entries * entryBytes);
    },
  };
}
