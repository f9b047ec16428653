import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** An uncompressed 24-bit RGB TIFF: the smallest way to write a picture without an encoder. */
export function tiff(
  width: number,
  height: number,
  colourAt: (x: number, y: number) => readonly number[],
): Buffer {
  const entries: [tag: number, type: number, count: number, value: number][] = [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, 3, 8 + 2 + 9 * 12 + 4], // bits per sample: after this directory
    [259, 3, 1, 1], // no compression
    [262, 3, 1, 2], // RGB
    [273, 4, 1, 8 + 2 + 9 * 12 + 4 + 6], // the one strip: after the bits per sample
    [277, 3, 1, 3],
    [278, 4, 1, height],
    [279, 4, 1, width * height * 3],
  ];
  const directory = Buffer.alloc(8 + 2 + entries.length * 12 + 4 + 6);
  directory.write('II*\0', 'latin1');
  directory.writeUInt32LE(8, 4);
  directory.writeUInt16LE(entries.length, 8);
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    const at = 10 + i * 12;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(type, at + 2);
    directory.writeUInt32LE(count, at + 4);
    directory.writeUInt32LE(value, at + 8);
  }
  for (const i of [0, 1, 2]) directory.writeUInt16LE(8, directory.length - 6 + 2 * i);
  const pixels = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) pixels.set(colourAt(i % width, Math.floor(i / width)), i * 3);
  return Buffer.concat([directory, pixels]);
}

const colours: Record<string, readonly number[]> = {
  blue: [60, 70, 190],
  green: [70, 180, 80],
  red: [200, 60, 60],
};

/**
 * Writes a data set of three classes that differ in colour, 40 x 36 pixels each, with a bright square in every
 * picture whose box stands in metadata.jsonl.
 */
export function writeColourDataset(data: string, counts = { train: 8, val: 4 }): void {
  for (const [split, count] of Object.entries(counts)) {
    const lines: string[] = [];
    for (const [label, colour] of Object.entries(colours)) {
      for (let i = 0; i < count; i++) {
        const name = `${label}/${i}.tiff`;
        const [left, top, side] = [2 + i, 3 + 2 * i, 14];
        const noise = (x: number, y: number): number => (((x * 7 + y * 13 + i * 29 + count) * 31) % 23) - 11;
        const file = tiff(40, 36, (x, y) => {
          const inside = x >= left && x < left + side && y >= top && y < top + side;
          return colour.map((value) => value + noise(x, y) + (inside ? 40 : 0));
        });
        put(join(data, split, name), file);
        const objects = { bbox: [[left, top, side, side]], categories: [label] };
        lines.push(JSON.stringify({ file_name: name, label, objects }));
      }
    }
    put(join(data, split, 'metadata.jsonl'), lines.join('\n'));
  }
}

export function put(path: string, content: Buffer | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
