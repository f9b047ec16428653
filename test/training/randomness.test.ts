import { describe, expect, it } from 'vitest';
import { epochOrder, randomStream } from '../../src/training/randomness.ts';

describe('random streams', () => {
  it('are the same for the same counters, others for others', () => {
    const first = (...args: Parameters<typeof randomStream>): number => randomStream(...args).next();
    expect(first(1, 'sample', 3, 7)).toBe(first(1, 'sample', 3, 7));
    const others = [
      first(1, 'sample', 3, 7),
      first(2, 'sample', 3, 7),
      first(1, 'order', 3, 7),
      first(1, 'sample', 7, 3),
      first(1, 'sample', 3, 7, 0),
      first(1, 'sample', 3),
    ];
    expect(new Set(others).size).toBe(others.length);
  });

  it('are uniform across neighbouring counters', () => {
    const draws = Array.from({ length: 4000 }, (_, i) => randomStream(1, 'sample', 1, i).next());
    const mean = draws.reduce((a, b) => a + b) / draws.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
    const products =
      draws.slice(1).reduce((sum, x, i) => sum + (x - 0.5) * (draws[i]! - 0.5), 0) / draws.length;
    expect(Math.abs(products)).toBeLessThan(0.01);
  });
});

describe('epoch order', () => {
  it('is a permutation of its own in every epoch', () => {
    const first = epochOrder(1, 1, 100);
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(epochOrder(1, 1, 100)).toEqual(first);
    expect(epochOrder(1, 2, 100)).not.toEqual(first);
    expect(epochOrder(2, 1, 100)).not.toEqual(first);
  });
});
