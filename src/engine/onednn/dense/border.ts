import type { Numbers } from '../primitives/scope.ts';
import type { MapShape, Size } from './shape.ts';

/**
 * Sets what borders on a picture inside padded maps `[count, height, width, channels]` to zero, one column to the right and
 * one row below: a 3x3 convolution then sees what it sees beyond the edge of a map of the picture's own size. What lies
 * further out no position of the picture depends on.
 */
export function clearBorder(
  maps: Numbers,
  channels: number,
  { count, height, width }: MapShape,
  picture: Size,
): void {
  for (let i = 0; i < count; i++) {
    const at = (y: number, x: number): number => ((i * height + y) * width + x) * channels;
    if (picture.width < width) {
      const rows = Math.min(picture.height + 1, height);
      for (let y = 0; y < rows; y++) maps.fill(0, at(y, picture.width), at(y, picture.width + 1));
    }
    if (picture.height < height) maps.fill(0, at(picture.height, 0), at(picture.height, picture.width));
  }
}
