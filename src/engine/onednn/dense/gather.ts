import type { FullyConnectedLayer } from '../../../network/layers.ts';
import { bytesOf, type DataType } from '../library/constants.ts';
import { reorders } from '../primitives/elementwise.ts';
import type { Step } from '../primitives/primitives.ts';
import type { Memory, Scope } from '../primitives/scope.ts';
import type { DenseShape } from './plan.ts';

/**
 * Steps that lay the windows of a fully connected layer side by side: from interleaved maps `[n, h, w, c]` to the rows of a
 * matrix `[n x h' x w', kernel x kernel x c]`, one row a position. One step moves one pixel of all windows.
 */
export function gatherWindows(
  scope: Scope,
  { name, inputs, kernel }: FullyConnectedLayer,
  type: DataType,
  { count, height, width }: DenseShape,
  maps: Memory,
  matrix: Memory,
): Step[] {
  const [rows, columns] = [height - kernel + 1, width - kernel + 1];
  const row = kernel ** 2 * inputs;
  const dims = [count, rows, columns, inputs];
  expectBytes(maps, count * height * width * inputs * bytesOf[type]);
  expectBytes(matrix, count * rows * columns * row * bytesOf[type]);
  const from = scope.strided(dims, type, [height * width * inputs, width * inputs, inputs, 1]);
  const to = scope.strided(dims, type, [rows * columns * row, columns * row, row, 1]);
  const at = ({ address }: Memory, pixel: number): bigint => address + BigInt(pixel * inputs * bytesOf[type]);
  const pairs = Array.from({ length: kernel ** 2 }, (_, i) => {
    const [y, x] = [Math.floor(i / kernel), i % kernel];
    return {
      source: scope.memory(from, at(maps, y * width + x)),
      destination: scope.memory(to, at(matrix, i)),
    };
  });
  return reorders(scope, `windows of ${name}`, pairs);
}

// --- helpers ---

function expectBytes({ desc }: Memory, bytes: number): void {
  if (desc.bytes !== bytes) throw new RangeError(`expected memory of ${bytes} bytes, received ${desc.bytes}`);
}
