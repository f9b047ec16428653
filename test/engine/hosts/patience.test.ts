import { expect, it } from 'vitest';
import { createPatience } from '../../../src/engine/hosts/patience.ts';

const batch = (networks: string[], count: number, side: number, flip = false) => ({
  networks,
  pixels: new Uint8Array(),
  count,
  height: side,
  width: side,
  flip,
  maps: false,
});

it('waits as long as like batches let expect, several times over, and never less than the floor', () => {
  const patience = createPatience({ untriedMs: 300_000, floorMs: 10_000 });
  const small = batch(['d', 'e'], 1, 100);
  expect(patience.timeoutFor(small)).toBe(300_000);
  patience.took(small, 400);
  expect(patience.timeoutFor(small)).toBe(10_000); // 8 x 400 is less
  expect(patience.timeoutFor(batch(['d', 'e'], 4, 200, true))).toBe(8 * 400 * 4 * 4 * 2);
  expect(patience.timeoutFor(batch(['d'], 1, 100))).toBe(300_000); // other networks
  patience.took(small, 1400);
  expect(patience.timeoutFor(batch(['d', 'e'], 10, 100))).toBeCloseTo(8 * 600 * 10);
});
