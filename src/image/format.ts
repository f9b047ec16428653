/** Formats that are decoded. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'gif' | 'tiff';

/** Endings of files that lie beside photographs and are something else. */
const otherEnding =
  /\.(txt|md|rst|pdf|html?|json|jsonl|csv|tsv|xml|ya?ml|toml|log|py|ipynb|js|sh|npy|npz|mat|pkl|h5|safetensors|onnx|ckpt|pth?|caffemodel|prototxt|parquet|db|zip|tar|t?gz|7z|mp4|mov|avi|mkv|wav|mp3|xmp|aae|ini)$/i;

/**
 * Whether a file in a folder of images is taken for one, by its name: all but hidden files, what systems leave behind, and files that
 * are clearly something else. A photograph in a format that is not decoded (`.heic`, `.nef`, `.bmp`) is taken too, so that
 * its reader is told of it.
 */
export function mayBeImage(name: string): boolean {
  return !isHidden(name) && !/^(thumbs\.db|desktop\.ini)$/i.test(name) && !otherEnding.test(name);
}

/** Names that nobody gave: `.DS_Store`, `._0.jpg`, `.ipynb_checkpoints`. */
export function isHidden(name: string): boolean {
  return name.startsWith('.');
}

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

// --- helpers ---

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
