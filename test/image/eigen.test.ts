import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eigenSymmetric3, type Matrix3 } from '../../src/image/eigen.ts';

const entry = fc.double({ min: -100, max: 100, noNaN: true });

describe('eigenSymmetric3', () => {
  it('solves a known matrix', () => {
    const { values, vectors } = eigenSymmetric3([
      [2, 1, 0],
      [1, 2, 0],
      [0, 0, 5],
    ]);
    [5, 3, 1].forEach((value, k) => {
      expect(values[k]).toBeCloseTo(value, 12);
    });
    expect(vectors[0]).toEqual([0, 0, 1]);
    vectors[1].forEach((x, k) => {
      expect(x).toBeCloseTo([Math.SQRT1_2, Math.SQRT1_2, 0][k]!, 12);
    });
  });

  it('takes a diagonal matrix and zero as they are', () => {
    expect(
      eigenSymmetric3([
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ]).values,
    ).toEqual([0, 0, 0]);
    expect(
      eigenSymmetric3([
        [1, 0, 0],
        [0, 3, 0],
        [0, 0, 2],
      ]).values,
    ).toEqual([3, 2, 1]);
  });

  it('gives sorted values and orthonormal vectors that make up the matrix', () => {
    fc.assert(
      fc.property(entry, entry, entry, entry, entry, entry, (a, b, c, d, e, f) => {
        const matrix: Matrix3 = [
          [a, b, c],
          [b, d, e],
          [c, e, f],
        ];
        const { values, vectors } = eigenSymmetric3(matrix);
        expect(values[0] >= values[1] && values[1] >= values[2]).toBe(true);
        for (let i = 0; i < 3; i++) {
          for (let j = 0; j < 3; j++) {
            const dot = vectors[i]!.reduce((sum, x, k) => sum + x * vectors[j]![k]!, 0);
            expect(dot).toBeCloseTo(i === j ? 1 : 0, 10);
            const rebuilt = values.reduce(
              (sum, value, k) => sum + value * vectors[k]![i]! * vectors[k]![j]!,
              0,
            );
            expect(rebuilt).toBeCloseTo(matrix[i]![j]!, 9);
          }
        }
      }),
    );
  });
});
