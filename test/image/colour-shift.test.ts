import { describe, expect, it } from 'vitest';
import { colourStatistics, sampleColourShift } from '../../src/image/colour-shift.ts';
import { createRandom } from '../../src/network/random.ts';
import { drawPicture } from './pictures.ts';

describe('colourStatistics', () => {
  it('measures mean and deviation over all pixels of all pictures', () => {
    const black = { width: 1, height: 1, pixels: Uint8Array.of(0, 10, 100) };
    const others = { width: 3, height: 1, pixels: Uint8Array.of(4, 10, 0, 4, 10, 0, 4, 10, 0) };
    const { mean, standardDeviation } = colourStatistics([black, others]);
    expect(mean).toEqual([3, 10, 25]);
    expect(standardDeviation[0]).toBeCloseTo(Math.sqrt(3), 12);
    expect(standardDeviation[1]).toBe(0);
    expect(standardDeviation[2]).toBeCloseTo(Math.sqrt(1875), 12);
  });

  it('finds the axis along which colours vary', () => {
    // Points along (2, 2, 1) / 3: one component with all the variance.
    const points = [-30, -10, 10, 30].flatMap((t) => [100 + 2 * t, 100 + 2 * t, 100 + t]);
    const { components } = colourStatistics([{ width: 4, height: 1, pixels: Uint8Array.from(points) }]);
    components.vectors[0].forEach((x, k) => {
      expect(x).toBeCloseTo([2 / 3, 2 / 3, 1 / 3][k]!, 12);
    });
    expect(components.values[0]).toBeCloseTo((9 * 500) / 255 ** 2, 12);
    expect(components.values[1]).toBeCloseTo(0, 12);
  });

  it('needs a pixel', () => {
    expect(() => colourStatistics([])).toThrow('received no pixel');
  });
});

describe('sampleColourShift', () => {
  const statistics = colourStatistics([drawPicture(40, 30)]);

  it('is the sum of components times eigenvalue times N(0, 0.1^2)', () => {
    const { values, vectors } = statistics.components;
    const shift = sampleColourShift(statistics, { normal: () => 1 });
    shift.forEach((value, channel) => {
      const expected = values.reduce((sum, lambda, k) => sum + 0.1 * lambda * vectors[k]![channel]! * 255, 0);
      expect(value).toBeCloseTo(expected, 12);
    });
  });

  it('is drawn around zero, with equal draws for equal seeds', () => {
    const random = createRandom(7);
    const shifts = Array.from({ length: 4000 }, () => sampleColourShift(statistics, random));
    expect(sampleColourShift(statistics, createRandom(7))).toEqual(shifts[0]);
    const { values, vectors } = statistics.components;
    const along = shifts.map((shift) => shift.reduce((sum, x, k) => sum + x * vectors[0][k]!, 0));
    const deviation = Math.sqrt(along.reduce((sum, x) => sum + x * x, 0) / along.length);
    expect(deviation / (255 * 0.1 * values[0])).toBeCloseTo(1, 1);
  });
});
