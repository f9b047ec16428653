import { describe, expect, it } from 'vitest';
import { palette, seriesStyles } from '../../../src/evaluation/report/palette.ts';

type Vector = readonly [number, number, number];
type Matrix = readonly [Vector, Vector, Vector];

const times = (matrix: Matrix, [x, y, z]: Vector): Vector =>
  matrix.map(([a, b, c]) => a * x + b * y + c * z) as unknown as Vector;

/** What eyes with all cones, and without one kind of them, see of linear RGB (Machado, Oliveira & Fernandes 2009). */
const eyes: Record<string, Matrix> = {
  all: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const linear = (colour: string): Vector =>
  [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as unknown as Vector;

/** Ottosson 2020. */
function oklab(rgb: Vector): Vector {
  const clipped = rgb.map((value) => Math.min(1, Math.max(0, value))) as unknown as Vector;
  const cones = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    clipped,
  );
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones.map(Math.cbrt) as unknown as Vector,
  );
}

const luminance = ([r, g, b]: Vector): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;

describe.each(Object.entries(palette))('the %s palette', (_, { back, series }) => {
  it.each(Object.entries(eyes))('has colours that eyes tell apart: %s', (_, eye) => {
    const seen = series.map((colour) => oklab(times(eye, linear(colour))));
    const distances = seen.flatMap((a, i) =>
      seen.slice(0, i).map((b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])),
    );
    expect(Math.min(...distances)).toBeGreaterThan(0.1);
  });

  it('stands out from the page', () => {
    for (const colour of series) {
      const [dark, light] = [linear(colour), linear(back)].map(luminance).sort((a, b) => a - b);
      expect((light! + 0.05) / (dark! + 0.05)).toBeGreaterThan(3);
    }
  });
});

describe('series', () => {
  it.each([1, 5, 10, 15])('of %i networks are all different', (count) => {
    const { colours, dashes } = seriesStyles(count);
    expect(new Set(colours.map((colour, i) => `${colour} ${dashes[i]}`)).size).toBe(count);
  });
});
