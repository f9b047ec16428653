import { crop, type Picture } from './picture.ts';

/** A crop, and where its left upper corner lies in the picture that it was cut from. */
export interface GridCrop extends Picture {
  readonly x: number;
  readonly y: number;
}

/** Crops a side of the grid (paper, 3.2: "5 x 5 regular grid"). */
const gridSide = 5;

/**
 * The 25 square crops of multi-crop evaluation, row by row: evenly spread, the outer ones flush with the picture's
 * edges. Their mirror images are the engine's work. Throws RangeError where the picture is smaller than a crop.
 */
export function gridCrops(picture: Picture, side: number): GridCrop[] {
  const xs = positions(picture.width, side);
  const ys = positions(picture.height, side);
  return ys.flatMap((y) => xs.map((x) => ({ x, y, ...crop(picture, x, y, side, side) })));
}

// --- helpers ---

function positions(length: number, side: number): number[] {
  return Array.from({ length: gridSide }, (_, i) => Math.round((i * (length - side)) / (gridSide - 1)));
}
