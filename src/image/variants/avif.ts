import { limitedRange } from './av1.ts';
import type { Variant } from './variant.ts';

/**
 * Reads the boxes of an AVIF (ISO 14496-12 and 23008-12; AV1 Image File Format) as far as they decide how its primary
 * image is shown. What cannot be followed is left to the decoder.
 */
export function inspectAvif(file: Buffer): Variant {
  try {
    return inspect(file);
  } catch (error) {
    if (error instanceof RangeError) return {}; // a box that breaks off
    throw error;
  }
}

// --- helpers ---

interface Box {
  readonly type: string;
  /** Content, after size and type. */
  readonly data: Buffer;
}

function inspect(file: Buffer): Variant {
  const boxes = boxesIn(file);
  const meta = boxes.find(({ type }) => type === 'meta');
  const isSequence = file.toString('latin1', 8, 12) === 'avis';
  if (meta === undefined) return isSequence ? { unsupported: 'with frames only and no still image' } : {};
  const parts = boxesIn(meta.data.subarray(4));
  const part = (type: string): Buffer | undefined => parts.find((box) => box.type === type)?.data;
  const primary = primaryItem(part('pitm'));
  const items = propertiesOf(part('iprp'));
  const rangeOf = (item: number): boolean | undefined => {
    const colour = items.get(item)?.find(({ type, data }) => type === 'colr' && isNclx(data));
    if (colour !== undefined) return colour.data[10]! >> 7 === 0;
    const place = placeOf(part('iloc'), item);
    return place && limitedRange(file.subarray(place.offset, place.offset + place.length));
  };
  const alpha = references(part('iref'), 'auxl').find(({ to }) => to.includes(primary))?.from;
  if (alpha !== undefined && isMonochrome(items.get(alpha)) && rangeOf(alpha) === true) {
    return { unsupported: 'with transparency in limited range' };
  }
  const isLimitedGrey = isMonochrome(items.get(primary)) && rangeOf(primary) === true;
  if (isLimitedGrey && alpha !== undefined)
    return { unsupported: 'of grey in limited range with transparency' };
  return { ...(isLimitedGrey && { isLimitedGrey }), ...(isSequence && { bytes: asStill(file) }) };
}

/** A sequence holds a still image as well; the decoder looks at the major brand only. */
function asStill(file: Buffer): Buffer {
  const still = Buffer.from(file);
  still.write('avif', 8, 'latin1');
  return still;
}

function boxesIn(data: Buffer): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at + 8 <= data.length; ) {
    const type = data.toString('latin1', at + 4, at + 8);
    const size = data.readUInt32BE(at);
    const isLarge = size === 1;
    const bytes = isLarge ? Number(data.readBigUInt64BE(at + 8)) : size === 0 ? data.length - at : size;
    const header = isLarge ? 16 : 8;
    if (bytes < header) break;
    boxes.push({ type, data: data.subarray(at + header, at + bytes) });
    at += bytes;
  }
  return boxes;
}

function primaryItem(data: Buffer | undefined): number {
  if (data === undefined) return -1;
  return data[0] === 0 ? data.readUInt16BE(4) : data.readUInt32BE(4);
}

/** The properties of each item. */
function propertiesOf(data: Buffer | undefined): ReadonlyMap<number, readonly Box[]> {
  const items = new Map<number, Box[]>();
  const boxes = boxesIn(data ?? Buffer.alloc(0));
  const all = boxesIn(boxes.find(({ type }) => type === 'ipco')?.data ?? Buffer.alloc(0));
  for (const { data: map } of boxes.filter(({ type }) => type === 'ipma')) {
    const isWideItem = map[0]! > 0;
    const isWideIndex = (map[3]! & 1) === 1;
    let at = 8;
    for (let entries = map.readUInt32BE(4); entries > 0; entries--) {
      const item = isWideItem ? map.readUInt32BE(at) : map.readUInt16BE(at);
      at += isWideItem ? 4 : 2;
      const own: Box[] = [];
      for (let count = map.readUInt8(at++); count > 0; count--) {
        const index = isWideIndex ? map.readUInt16BE(at) & 0x7fff : map.readUInt8(at) & 0x7f;
        at += isWideIndex ? 2 : 1;
        const property = all[index - 1];
        if (property !== undefined) own.push(property);
      }
      items.set(item, own);
    }
  }
  return items;
}

function references(data: Buffer | undefined, type: string): { from: number; to: number[] }[] {
  if (data === undefined) return [];
  const isWide = data[0]! > 0;
  const bytes = isWide ? 4 : 2;
  const read = (box: Buffer, at: number): number => (isWide ? box.readUInt32BE(at) : box.readUInt16BE(at));
  return boxesIn(data.subarray(4))
    .filter((box) => box.type === type)
    .map(({ data: box }) => ({
      from: read(box, 0),
      to: Array.from({ length: box.readUInt16BE(bytes) }, (_, i) => read(box, bytes + 2 + i * bytes)),
    }));
}

/** Where the first extent of an item lies in the file; undefined for items that are stored elsewhere. */
function placeOf(data: Buffer | undefined, wanted: number): { offset: number; length: number } | undefined {
  if (data === undefined) return undefined;
  const version = data[0]!;
  const [offsetBytes, lengthBytes] = [data[4]! >> 4, data[4]! & 15];
  const [baseBytes, indexBytes] = [data[5]! >> 4, version > 0 ? data[5]! & 15 : 0];
  let at = 6;
  const read = (bytes: number): number => {
    const value =
      bytes === 0 ? 0 : bytes === 8 ? Number(data.readBigUInt64BE(at)) : data.readUIntBE(at, bytes);
    at += bytes;
    return value;
  };
  for (let items = read(version < 2 ? 2 : 4); items > 0; items--) {
    const item = read(version < 2 ? 2 : 4);
    const isInFile = version === 0 || (read(2) & 15) === 0;
    read(2); // data reference
    const base = read(baseBytes);
    let first: { offset: number; length: number } | undefined;
    for (let extents = read(2); extents > 0; extents--) {
      read(indexBytes);
      const offset = base + read(offsetBytes);
      first ??= { offset, length: read(lengthBytes) };
    }
    if (item === wanted) return isInFile ? first : undefined;
  }
  return undefined;
}

function isNclx(data: Buffer): boolean {
  return data.toString('latin1', 0, 4) === 'nclx' && data.length >= 11;
}

/** By its AV1 configuration. */
function isMonochrome(properties: readonly Box[] | undefined): boolean {
  const configuration = properties?.find(({ type }) => type === 'av1C')?.data;
  return configuration !== undefined && (configuration.readUInt8(2) & 0x10) !== 0;
}
