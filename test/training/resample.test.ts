import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cropResized, type Source, type SourceWindow } from '../../src/training/resample.ts';

function noise(width: number, height: number, seed: number): Source {
  const pixels = Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => Math.imul(i + seed, 0x9e3779b1) >>> 24,
  );
  return { width, height, pixels };
}

/** The filter as its docstring says it, in floating point, one output value at a time. */
function oracle({ width, height, pixels }: Source, window: SourceWindow, side: number): number[] {
  const axis = (start: number, length: number, i: number, size: number): number[] => {
    const ratio = length / side;
    const radius = Math.max(1, ratio);
    const centre = start + (i + 0.5) * ratio - 0.5;
    const weights = Array.from({ length: size }, (_, p) => Math.max(0, 1 - Math.abs(p - centre) / radius));
    const sum = weights.reduce((a, b) => a + b);
    return weights.map((weight) => weight / sum);
  };
  const out: number[] = [];
  for (let y = 0; y < side; y++) {
    const rows = axis(window.y, window.height, y, height);
    for (let x = 0; x < side; x++) {
      const columns = axis(window.x, window.width, x, width);
      for (let c = 0; c < 3; c++) {
        let value = 0;
        rows.forEach((wy, j) => {
          columns.forEach((wx, i) => {
            value += wy * wx * pixels[(j * width + i) * 3 + c]!;
          });
        });
        out.push(value);
      }
    }
  }
  return out;
}

describe('cropResized', () => {
  it('is the triangle filter, rounded', () => {
    const cases = fc.record({
      width: fc.integer({ min: 4, max: 14 }),
      height: fc.integer({ min: 4, max: 14 }),
      side: fc.integer({ min: 2, max: 9 }),
      part: fc.double({ min: 0.2, max: 1, noNaN: true }),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.nat(999),
    });
    fc.assert(
      fc.property(cases, ({ width, height, side, part, at, seed }) => {
        const source = noise(width, height, seed);
        const window = {
          x: at * width * (1 - part),
          y: at * height * (1 - part),
          width: part * width,
          height: part * height,
        };
        const out = new Uint8Array(side * side * 3);
        cropResized(source, window, side, false, out, 0);
        oracle(source, window, side).forEach((expected, i) => {
          expect(Math.abs(out[i]! - expected)).toBeLessThan(0.55); // weights have 14 bits, mixed rows 6 after the point
        });
      }),
    );
  });

  it('copies a window of its own size, and mirrors it', () => {
    const source = noise(9, 7, 1);
    const out = new Uint8Array(2 * 48);
    cropResized(source, { x: 2, y: 3, width: 4, height: 4 }, 4, false, out, 0);
    cropResized(source, { x: 2, y: 3, width: 4, height: 4 }, 4, true, out, 48);
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 4; x++) {
        const at = ((y + 3) * 9 + x + 2) * 3;
        const pixel = [...source.pixels.subarray(at, at + 3)];
        expect([...out.subarray((y * 4 + x) * 3, (y * 4 + x) * 3 + 3)]).toEqual(pixel);
        expect([...out.subarray(48 + (y * 4 + 3 - x) * 3, 48 + (y * 4 + 3 - x) * 3 + 3)]).toEqual(pixel);
      }
    }
  });

  it('keeps a flat picture flat at any scale', () => {
    const source = { width: 20, height: 17, pixels: new Uint8Array(20 * 17 * 3).fill(201) };
    const out = new Uint8Array(8 * 8 * 3);
    cropResized(source, { x: 0.3, y: 1.7, width: 15.1, height: 15.2 }, 8, true, out, 0);
    expect(new Set(out)).toEqual(new Set([201]));
  });
});
