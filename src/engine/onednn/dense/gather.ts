import type { FullyConnectedLayer } from '../../../network/layers.ts';
import type { Numbers } from '../primitives/scope.ts';
import type { MapShape, Size } from './shape.ts';

/**
 * Lays the windows that the first fully connected layer sees side by side: from padded maps `[count, height, width, inputs]`
 * to rows of a matrix `[.., kernel x kernel x inputs]` from `firstRow` on, one row a position of the picture's own map.
 */
export function gatherWindows(
  maps: Numbers,
  { count, height, width }: MapShape,
  picture: Size,
  { inputs, kernel }: FullyConnectedLayer,
  matrix: Numbers,
  firstRow: number,
): void {
  const line = kernel * inputs;
  let to = firstRow * kernel * line;
  for (let i = 0; i < count; i++) {
    for (let y = 0; y + kernel <= picture.height; y++) {
      for (let x = 0; x + kernel <= picture.width; x++) {
        for (let dy = 0; dy < kernel; dy++) {
          const from = ((i * height + y + dy) * width + x) * inputs;
          matrix.set(maps.subarray(from, from + line), to);
          to += line;
        }
      }
    }
  }
}
