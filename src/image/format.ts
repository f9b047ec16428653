/** Formats that are decoded. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'gif' | 'tiff';

/** Names of files of these formats. What a file holds is told by its bytes: {@link detectFormat}. */
export const imageFileName = /\.(jpe?g|png|webp|avif|gif|tiff?)$/i;

/** What a file of a format begins with: bytes in hexadecimal, `..` for any byte. */
const signatures: readonly (readonly [format: ImageFormat, pattern: string])[] = [
  ['jpeg', 'ff d8 ff'],
  ['png', '89 50 4e 47 0d 0a 1a 0a'],
  ['gif', '47 49 46 38 37 61'], // GIF87a
  ['gif', '47 49 46 38 39 61'], // GIF89a
  ['webp', '52 49 46 46 .. .. .. .. 57 45 42 50'], // RIFF, size, WEBP
  ['tiff', '49 49 2a 00'],
  ['tiff', '4d 4d 00 2a'],
  ['tiff', '49 49 2b 00'], // BigTIFF
  ['tiff', '4d 4d 00 2b'],
];

/**
 * Tells the format by the file's first bytes, whatever its name or content type. `undefined` for all others, SVG, PDF
 * and HEIC among them: their bytes never reach a decoder.
 */
export function detectFormat(bytes: Uint8Array): ImageFormat | undefined {
  return (
    signatures.find(([, pattern]) => startsWith(bytes, pattern))?.[0] ?? (isAvif(bytes) ? 'avif' : undefined)
  );
}

function startsWith(bytes: Uint8Array, pattern: string): boolean {
  return pattern
    .split(' ')
    .every((hex, i) => (hex === '..' ? i < bytes.length : bytes[i] === Number.parseInt(hex, 16)));
}

/**
 * AVIF is one of many kinds of file in ISO's base media format. The `ftyp` box at its start (size, "ftyp", major
 * brand, version, compatible brands of four letters) says which; `avif` and `avis` (a sequence) may be any of its brands.
 */
function isAvif(bytes: Uint8Array): boolean {
  const ascii = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 128)).toString('latin1');
  if (ascii.slice(4, 8) !== 'ftyp') return false;
  const boxBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const brands = [ascii.slice(8, 12), ...(ascii.slice(16, boxBytes).match(/.{4}/gs) ?? [])];
  return brands.includes('avif') || brands.includes('avis');
}
