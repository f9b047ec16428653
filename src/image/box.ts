/** Box geometry of localisation (paper, appendix A). */

/** Pixels of an image: left, top, width, height. */
export type PixelBox = readonly [x: number, y: number, width: number, height: number];

/** What the network predicts: relative to its crop, of which the left upper corner is (0, 0) and the right lower (1, 1). */
export type RelativeBox = readonly [centreX: number, centreY: number, width: number, height: number];

/** Where a crop lies in an image: its left upper corner and its side in pixels of the image, and whether it is mirrored. */
export interface CropWindow {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly mirrored: boolean;
}

/** An image's box as seen from a crop of it. Parts outside the crop are not cut off. */
export function relativeToCrop([x, y, width, height]: PixelBox, crop: CropWindow): RelativeBox {
  const centreX = (x + width / 2 - crop.x) / crop.width;
  const centreY = (y + height / 2 - crop.y) / crop.height;
  return [crop.mirrored ? 1 - centreX : centreX, centreY, width / crop.width, height / crop.height];
}

/** Left, top, width, height of a relative box in units of the crop. */
export function cornersOf([centreX, centreY, width, height]: RelativeBox): PixelBox {
  return [centreX - width / 2, centreY - height / 2, width, height];
}

/** Intersection over union of two boxes; 0 where one is empty or turned inside out. */
export function intersectionOverUnion(a: PixelBox, b: PixelBox): number {
  const overlap = (i: 0 | 1): number =>
    Math.max(0, Math.min(a[i] + a[i + 2]!, b[i] + b[i + 2]!) - Math.max(a[i], b[i]));
  const area = ([, , width, height]: PixelBox): number => Math.max(0, width) * Math.max(0, height);
  const intersection = overlap(0) * overlap(1);
  const union = area(a) + area(b) - intersection;
  return union > 0 ? intersection / union : 0;
}
