import { expect, it } from 'vitest';
import { isChance } from '../../src/training/chance.ts';

const spec = { architecture: 'D', width: 1, fc: 8, crop: 32, head: 'classes', classes: 101 } as const;

it('is the loss of guessing among the classes, and worse', () => {
  expect(isChance(spec, Math.log(101))).toBe(true);
  expect(isChance(spec, 4.6)).toBe(true);
  expect(isChance(spec, 9)).toBe(true);
  expect(isChance(spec, 4.55)).toBe(false);
  expect(isChance({ ...spec, classes: 2 }, 0.69)).toBe(true);
  expect(isChance({ ...spec, head: 'scr' }, 9)).toBe(false);
});
