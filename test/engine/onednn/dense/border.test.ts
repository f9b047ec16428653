import { expect, it } from 'vitest';
import { clearBorder } from '../../../../src/engine/onednn/dense/border.ts';
import { gatherWindows } from '../../../../src/engine/onednn/dense/gather.ts';

it('clears one column and one row around the picture, in each of the maps, and nothing else', () => {
  const shape = { count: 2, height: 4, width: 4 };
  const maps = new Float32Array(2 * 4 * 4 * 2).fill(1);
  clearBorder(maps, 2, shape, { height: 2, width: 2 });
  const map = [1, 1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1];
  expect([...maps]).toEqual([...map, ...map].flatMap((value) => [value, value]));
});

it('clears nothing beside a side that fills the map', () => {
  const maps = new Uint16Array(3 * 4).fill(1);
  clearBorder(maps, 1, { count: 1, height: 3, width: 4 }, { height: 3, width: 4 });
  expect([...maps]).toEqual(new Array(12).fill(1));
  clearBorder(maps, 1, { count: 1, height: 3, width: 4 }, { height: 3, width: 2 });
  expect([...maps]).toEqual([1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1]);
});

it('gathers the windows of the positions that the picture has, of each picture, from a row on', () => {
  const layer = {
    kind: 'fullyConnected',
    name: 'fc',
    inputs: 1,
    outputs: 1,
    kernel: 2,
    hidden: false,
  } as const;
  const maps = Float32Array.from({ length: 2 * 3 * 4 }, (_, i) => i); // two maps of 3 x 4, the pictures' own are 2 x 3
  const matrix = new Float32Array(5 * 4).fill(-1);
  gatherWindows(maps, { count: 2, height: 3, width: 4 }, { height: 2, width: 3 }, layer, matrix, 1);
  expect([...matrix]).toEqual([
    ...[-1, -1, -1, -1],
    ...[0, 1, 4, 5],
    ...[1, 2, 5, 6],
    ...[12, 13, 16, 17],
    ...[13, 14, 17, 18],
  ]);
});
