import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sliceOf, sumSlice } from '../../../src/engine/parallel/reduce.ts';

const shapes = fc.record({
  workers: fc.integer({ min: 1, max: 7 }),
  length: fc.integer({ min: 0, max: 300 }),
});

describe('slices of a gradient', () => {
  it('cover every number once, in order, whole cache lines each but for the end', () => {
    fc.assert(
      fc.property(shapes, ({ workers, length }) => {
        let next = 0;
        for (let rank = 0; rank < workers; rank++) {
          const [start, end] = sliceOf(rank, workers, length);
          expect(start).toBe(next);
          expect(end).toBeGreaterThanOrEqual(start);
          if (rank > 0 && start < length) expect(start % 16).toBe(0);
          next = end;
        }
        expect(next).toBe(length);
      }),
    );
  });

  it('are equal to within a cache line', () => {
    const lengths = [0, 1, 2].map((rank) => {
      const [start, end] = sliceOf(rank, 3, 3000);
      return end - start;
    });
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(16);
  });
});

describe('the sum over workers', () => {
  it('stands in each row at its own slice', () => {
    fc.assert(
      fc.property(shapes, fc.integer(), ({ workers, length }, seed) => {
        // Integers: their sums are exact in any order.
        const value = (rank: number, i: number): number => ((seed % 1000) * (rank + 1) + 7 * i * rank) % 4099;
        const rows = Array.from({ length: workers }, (_, rank) =>
          Float32Array.from({ length }, (_, i) => value(rank, i)),
        );
        for (let rank = 0; rank < workers; rank++) sumSlice(rows, rank);
        rows.forEach((row, rank) => {
          const [start, end] = sliceOf(rank, workers, length);
          for (let i = start; i < end; i++) {
            expect(row[i]).toBe(rows.reduce((sum, _, other) => sum + value(other, i), 0));
          }
        });
      }),
    );
  });
});
