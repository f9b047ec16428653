/** Box geometry of localisation (paper, appendix A). */

/** A rectangle: its left upper corner and its size. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A box in pixels of an image, as data sets, results and evaluations store it. */
export type PixelBox = readonly [x: number, y: number, width: number, height: number];

/** What the network predicts: relative to its crop, of which the left upper corner is (0, 0) and the right lower (1, 1). */
export type RelativeBox = readonly [centreX: number, centreY: number, width: number, height: number];

/** Where a crop lies in an image, in pixels of the image, and whether it is mirrored. */
export interface CropWindow extends Box {
  readonly mirrored: boolean;
}

export function boxOf([x, y, width, height]: PixelBox): Box {
  return { x, y, width, height };
}

export function pixelBoxOf({ x, y, width, height }: Box): PixelBox {
  return [x, y, width, height];
}

/** An image's box as seen from a crop of it. Parts outside the crop are not cut off. */
export function relativeToCrop([x, y, width, height]: PixelBox, crop: CropWindow): RelativeBox {
  const centreX = (x + width / 2 - crop.x) / crop.width;
  const centreY = (y + height / 2 - crop.y) / crop.height;
  return [crop.mirrored ? 1 - centreX : centreX, centreY, width / crop.width, height / crop.height];
}

/** A relative box by its corner, in units of the crop. */
export function cornerBoxOf([centreX, centreY, width, height]: RelativeBox): Box {
  return { x: centreX - width / 2, y: centreY - height / 2, width, height };
}

/** Intersection over union of two boxes; 0 when one is empty or turned inside out. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const overlapX = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const overlapY = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const intersection = Math.max(0, overlapX) * Math.max(0, overlapY);
  const union = areaOf(a) + areaOf(b) - intersection;
  return union > 0 ? intersection / union : 0;
}

/** 0 when the box is turned inside out. */
export function areaOf({ width, height }: Box): number {
  return Math.max(0, width) * Math.max(0, height);
}
