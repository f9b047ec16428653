import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createReferenceEngine } from '../../src/engine/reference/engine.ts';
import type { ClassificationRow, ClassMetrics, LocalisationRow } from '../../src/evaluation/evaluation.ts';
import type { PixelBox } from '../../src/image/box.ts';
import { decodeAtScales } from '../../src/image/decode.ts';
import { readHeader } from '../../src/image/header.ts';
import type { Picture } from '../../src/image/picture.ts';
import { preprocessing, type TinyImage, type TinyNetwork } from './tiny.ts';

/**
 * What the rows of an evaluation must say, computed from the paper the slow way: a picture at a time, mirror images as
 * pictures of their own, classes by name, and nothing shared but the layers of the reference engine and the decoder.
 */
export interface Oracle {
  /** Posteriors of one image by label. */
  posteriors(image: TinyImage, row: Pick<ClassificationRow, 'members' | 'flip' | 'view'>): Promise<ByLabel>;
  /** The box of a class. */
  box(image: TinyImage, row: LocalisationRow, label: string): Promise<PixelBox>;
  classification(row: ClassificationRow): Promise<ClassMetrics & Pick<ClassificationRow, 'perClass'>>;
  /** Where the true class of each image comes, from 0, and which comes first. */
  places(row: ClassificationRow): Promise<readonly Place[]>;
  localisation(
    row: LocalisationRow,
  ): Promise<Pick<LocalisationRow, 'images' | 'trueClassError' | 'top1Error' | 'top5Error' | 'perClass'>>;
}

export interface Place {
  readonly name: string;
  readonly label: string;
  readonly place: number;
  readonly first: string;
}

type ByLabel = ReadonlyMap<string, number>;

export async function createOracle(
  networks: ReadonlyMap<string, TinyNetwork>,
  images: readonly TinyImage[],
): Promise<Oracle> {
  const engine = createReferenceEngine();
  for (const [id, { spec, weights }] of networks) await engine.load({ id, spec, weights, preprocessing });

  /** At its own size if no scale is given. */
  const pictures = new Map<string, Promise<Picture>>();
  const pictureOf = ({ path }: TinyImage, scale?: number): Promise<Picture> => {
    const key = `${path} ${scale}`;
    const picture = pictures.get(key) ?? decode(path, scale);
    pictures.set(key, picture);
    return picture;
  };

  /** `[outputs][position]` of one picture. The same pixels are computed once, for the sake of time. */
  const known = new Map<string, Promise<number[][]>>();
  const mapsOf = (id: string, picture: Picture): Promise<number[][]> => {
    const { pixels, width, height } = picture;
    const key = `${id} ${width} x ${height} ${createHash('sha256').update(pixels).digest('hex')}`;
    const maps = known.get(key) ?? run(id, picture);
    known.set(key, maps);
    return maps;
  };
  const run = async (id: string, { pixels, width, height }: Picture): Promise<number[][]> => {
    const batch = { networks: [id], pixels, width, height, count: 1, flip: false, maps: true };
    const { data, shape } = (await engine.run(batch)).get(id)!.maps!;
    const positions = shape[3] * shape[4];
    return Array.from({ length: shape[2] }, (_, c) => [...data.subarray(c * positions, (c + 1) * positions)]);
  };
  const named = (id: string, values: readonly number[]): ByLabel =>
    new Map(values.map((value, i) => [networks.get(id)!.labels[i]!, value]));
  const posteriorsOf = async (id: string, picture: Picture): Promise<ByLabel> =>
    named(id, softmax((await mapsOf(id, picture)).map(mean)));

  const posteriors = async (
    image: TinyImage,
    { members, flip, view }: Pick<ClassificationRow, 'members' | 'flip' | 'view'>,
  ): Promise<ByLabel> => {
    const all: ByLabel[] = [];
    for (const { network, scales } of members) {
      for (const scale of scales) {
        const picture = await pictureOf(image, scale);
        const { crop } = networks.get(network)!.spec;
        for (const kind of view === 'both' ? ['dense', 'crops'] : [view]) {
          const pictures = kind === 'dense' ? [picture] : grid(picture, crop);
          const views = flip ? [...pictures, ...pictures.map(mirrored)] : pictures;
          all.push(meanByLabel(await Promise.all(views.map((one) => posteriorsOf(network, one)))));
        }
      }
    }
    return meanByLabel(all);
  };

  /** Boxes of all windows of an image with the posterior of a class there, for the box networks of a row. */
  const windows = async (image: TinyImage, row: LocalisationRow, label: string): Promise<Window[]> => {
    const found: Window[] = [];
    const { width, height } = await pictureOf(image);
    for (const scale of row.scales) {
      const picture = await pictureOf(image, scale);
      for (const isMirrored of row.flip ? [false, true] : [false]) {
        const seen = isMirrored ? mirrored(picture) : picture;
        const scores = await Promise.all(
          row.classifiers.map(async (id) => ({ id, maps: await mapsOf(id, seen) })),
        );
        for (const id of row.localisers) {
          const { crop } = networks.get(id)!.spec;
          const maps = boxMaps(networks.get(id)!, await mapsOf(id, seen), label);
          const across = (seen.width - (seen.width % 32) - crop) / 32 + 1;
          for (let p = 0; p < maps[0]!.length; p++) {
            const [x, y, w, h] = maps.map((map) => map[p]! * crop) as [number, number, number, number];
            const inWindow: PixelBox = [(p % across) * 32 + x, Math.floor(p / across) * 32 + y, w, h];
            const ofLabel = scores.map((one) => {
              return named(one.id, softmax(one.maps.map((map) => map[p]!))).get(label)!;
            });
            const centreX = isMirrored ? seen.width - inWindow[0] : inWindow[0];
            const [scaleX, scaleY] = [width / seen.width, height / seen.height];
            const box = [
              (centreX - w / 2) * scaleX,
              (inWindow[1] - h / 2) * scaleY,
              w * scaleX,
              h * scaleY,
            ] as const;
            if (w > 0 && h > 0) found.push({ box, weight: mean(ofLabel) });
          }
        }
      }
    }
    return found;
  };

  const bestBox = async (image: TinyImage, row: LocalisationRow, label: string): Promise<PixelBox> => {
    const picture = await pictureOf(image);
    const groups = merged((await windows(image, row, label)).map((one) => [one]));
    const [best] = groups.sort((a, b) => weightOf(b) - weightOf(a));
    return inside(boxOf(best!), picture);
  };

  const centralBox = async (image: TinyImage, { localisers, scales }: LocalisationRow): Promise<PixelBox> => {
    const network = networks.get(localisers[0]!)!;
    const { crop } = network.spec;
    const whole = await pictureOf(image);
    const picture = await pictureOf(image, scales[0]);
    const [left, top] = [Math.floor((picture.width - crop) / 2), Math.floor((picture.height - crop) / 2)];
    const maps = await mapsOf(localisers[0]!, cut(picture, left, top, crop));
    const [x, y, w, h] = boxMaps(network, maps, image.label).map(([value]) => value! * crop);
    const [scaleX, scaleY] = [whole.width / picture.width, whole.height / picture.height];
    return [(left + x! - w! / 2) * scaleX, (top + y! - h! / 2) * scaleY, w! * scaleX, h! * scaleY];
  };

  const classes = [...new Set(images.map(({ label }) => label))].sort();
  const places: Oracle['places'] = (row) =>
    Promise.all(
      images.map(async (image) => {
        const order = ranked(await posteriors(image, row));
        return { name: image.name, label: image.label, place: order.indexOf(image.label), first: order[0]! };
      }),
    );

  const box: Oracle['box'] = (image, row, label) =>
    row.method === 'centralCrop' ? centralBox(image, row) : bestBox(image, row, label);

  return {
    posteriors,
    box,
    places,
    async classification(row) {
      const all = await places(row);
      const share = (some: readonly Place[], count: number): number =>
        mean(some.map(({ place }) => (place < count ? 1 : 0)));
      const perClass = classes.map((label) => {
        const own = all.filter((one) => one.label === label);
        return { label, images: own.length, top1: share(own, 1), top5: share(own, 5) };
      });
      return {
        top1: share(all, 1),
        top5: share(all, 5),
        meanPerClass: mean(perClass.map(({ top1 }) => top1)),
        perClass,
      };
    },
    async localisation(row) {
      const wrong = { trueClass: 0, top1: 0, top5: 0 };
      const wrongOf = new Map(classes.map((label) => [label, 0]));
      const countWrong = (label: string): void => void wrongOf.set(label, wrongOf.get(label)! + 1);
      const boxed = images.filter(({ box }) => box !== undefined);
      for (const image of boxed) {
        const isFound = overlap(await box(image, row, image.label), image.box!) > 0.5;
        if (!isFound) wrong.trueClass++;
        if (row.method === 'centralCrop') {
          if (!isFound) countWrong(image.label);
          continue;
        }
        const members = row.classifiers.map((network) => ({ network, scales: row.scales }));
        const order = ranked(await posteriors(image, { members, flip: row.flip, view: 'dense' }));
        if (!(isFound && order.indexOf(image.label) < 1)) wrong.top1++;
        if (isFound && order.indexOf(image.label) < 5) continue;
        wrong.top5++;
        countWrong(image.label);
      }
      const count = boxed.length;
      return {
        images: count,
        trueClassError: wrong.trueClass / count,
        ...(row.method === 'wholeImage' && { top1Error: wrong.top1 / count, top5Error: wrong.top5 / count }),
        perClass: classes.map((label) => {
          const own = boxed.filter((image) => image.label === label).length;
          return { label, images: own, error: wrongOf.get(label)! / own };
        }),
      };
    },
  };
}

// --- helpers ---

interface Window {
  readonly box: PixelBox;
  readonly weight: number;
}

const limits = { maxFileBytes: 1e6, maxPixels: 1e6 };

async function decode(path: string, scale?: number): Promise<Picture> {
  const bytes = await readFile(path);
  const { width, height } = await readHeader(bytes, limits);
  return (await decodeAtScales(bytes, [scale ?? Math.min(width, height)], limits)).pictures[0]!;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function softmax(scores: readonly number[]): number[] {
  const powers = scores.map((score) => Math.exp(score));
  return powers.map((power) => power / powers.reduce((a, b) => a + b));
}

function meanByLabel(all: readonly ByLabel[]): ByLabel {
  return new Map([...all[0]!.keys()].map((label) => [label, mean(all.map((one) => one.get(label)!))]));
}

function ranked(posteriors: ByLabel): string[] {
  return [...posteriors].sort(([, a], [, b]) => b - a).map(([label]) => label);
}

function mirrored({ width, height, pixels }: Picture): Picture {
  const pixelAt = (k: number): number => Math.floor(k / width) * width + (width - 1 - (k % width));
  return { width, height, pixels: pixels.map((_, k) => pixels[pixelAt(Math.floor(k / 3)) * 3 + (k % 3)]!) };
}

function cut({ width, pixels }: Picture, left: number, top: number, side: number): Picture {
  const cutOut = new Uint8Array(side * side * 3);
  for (let k = 0; k < cutOut.length; k++) {
    const [x, y] = [Math.floor(k / 3) % side, Math.floor(k / 3 / side)];
    cutOut[k] = pixels[((top + y) * width + left + x) * 3 + (k % 3)]!;
  }
  return { width: side, height: side, pixels: cutOut };
}

/** 5 x 5 crops from edge to edge (paper, 3.2). */
function grid(picture: Picture, side: number): Picture[] {
  const steps = [0, 1, 2, 3, 4];
  const at = (length: number, step: number): number => Math.round(((length - side) * step) / 4);
  return steps.flatMap((i) =>
    steps.map((j) => cut(picture, at(picture.width, j), at(picture.height, i), side)),
  );
}

/** The four maps of a class's box. */
function boxMaps({ spec, labels }: TinyNetwork, maps: number[][], label: string): number[][] {
  const first = spec.head === 'scr' ? 0 : 4 * labels.indexOf(label);
  return maps.slice(first, first + 4);
}

function overlap([x, y, w, h]: PixelBox, [x2, y2, w2, h2]: PixelBox): number {
  const shared =
    Math.max(0, Math.min(x + w, x2 + w2) - Math.max(x, x2)) *
    Math.max(0, Math.min(y + h, y2 + h2) - Math.max(y, y2));
  return shared / (w * h + w2 * h2 - shared);
}

function inside([x, y, w, h]: PixelBox, { width, height }: Picture): PixelBox {
  const [left, top] = [Math.max(0, x), Math.max(0, y)];
  return [left, top, Math.min(width, x + w) - left, Math.min(height, y + h) - top];
}

function weightOf(group: readonly Window[]): number {
  return group.reduce((sum, { weight }) => sum + weight, 0);
}

/** The mean of a group's boxes, weighed. */
function boxOf(group: readonly Window[]): PixelBox {
  const side = (k: number): number =>
    group.reduce((sum, { box, weight }) => sum + weight * box[k]!, 0) / weightOf(group);
  return [side(0), side(1), side(2), side(3)];
}

/** Merges the two groups that match best, for as long as they match (docs/adr/0004). */
function merged(groups: readonly (readonly Window[])[]): (readonly Window[])[] {
  let best = { score: 0.8, i: -1, j: -1 };
  groups.forEach((a, i) => {
    for (let j = i + 1; j < groups.length; j++) {
      const score = mismatch(boxOf(a), boxOf(groups[j]!));
      if (score < best.score) best = { score, i, j };
    }
  });
  if (best.i < 0) return [...groups];
  const others = groups.filter((_, k) => k !== best.i && k !== best.j);
  return merged([...others, [...groups[best.i]!, ...groups[best.j]!]]);
}

function mismatch(a: PixelBox, b: PixelBox): number {
  const distance = Math.hypot(a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2);
  return distance / Math.sqrt((a[2] * a[3] + b[2] * b[3]) / 2) + 1 - overlap(a, b);
}
