import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutputMaps } from '../../src/engine/engine.ts';
import { boxAt, clip, windowPosteriors } from '../../src/inference/windows.ts';

const crop = 64;

/** Every position predicts the same box, relative to its window. */
function uniformBoxes(box: readonly number[], height: number, width: number): OutputMaps {
  const shape = [2, 1, 4, height, width] as const;
  const data = Float32Array.from({ length: 2 * 4 * height * width }, (_, k) => {
    return box[Math.floor(k / (height * width)) % 4]!;
  });
  return { data, shape };
}

describe('the box of a window', () => {
  const picture = { width: 160, height: 100, image: { width: 640, height: 400 } };

  it('is relative to the crop-sized window at (32 j, 32 i), enlarged to the image', () => {
    const maps = uniformBoxes([0.5, 0.5, 1, 1], 2, 4);
    expect(boxAt(maps, 0, [0, 0, 0], crop, picture)).toEqual({ x: 0, y: 0, width: 256, height: 256 });
    expect(boxAt(maps, 0, [0, 1, 3], crop, picture)).toEqual({ x: 384, y: 128, width: 256, height: 256 });
  });

  it('of the mirror image is mirrored back', () => {
    const maps = uniformBoxes([0.25, 0.5, 0.5, 1], 2, 4);
    // In the mirror image x 0..32, so in the picture 128..160.
    expect(boxAt(maps, 0, [1, 0, 0], crop, picture)).toEqual({ x: 512, y: 0, width: 128, height: 256 });
  });

  it('uses a factor for each axis where the picture was compressed', () => {
    const maps = uniformBoxes([0.5, 0.5, 1, 1], 2, 4);
    const compressed = { ...picture, image: { width: 1600, height: 100 } };
    expect(boxAt(maps, 0, [0, 0, 1], crop, compressed)).toEqual({ x: 320, y: 0, width: 640, height: 64 });
  });

  it('of one object is the same from every window that sees it', () => {
    // An object at x 40..90, y 20..70 of the rescaled picture, described by each window of picture and mirror image.
    const [rows, columns] = [2, 4];
    const data = new Float32Array(2 * 4 * rows * columns);
    for (let view = 0; view < 2; view++) {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          const centreX = view === 1 ? picture.width - 65 : 65;
          const values = [(centreX - 32 * j) / crop, (45 - 32 * i) / crop, 50 / crop, 50 / crop];
          values.forEach((value, k) => {
            data[((view * 4 + k) * rows + i) * columns + j] = value;
          });
        }
      }
    }
    const maps: OutputMaps = { data, shape: [2, 1, 4, rows, columns] };
    for (let view = 0; view < 2; view++) {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          const box = boxAt(maps, 0, [view, i, j], crop, picture)!;
          for (const [side, value] of Object.entries({ x: 160, y: 80, width: 200, height: 200 })) {
            expect(box[side as keyof typeof box]).toBeCloseTo(value, 3);
          }
        }
      }
    }
  });

  it('is left out where it has no size', () => {
    for (const size of [0, -0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(boxAt(uniformBoxes([0.5, 0.5, size, 1], 1, 1), 0, [0, 0, 0], crop, picture)).toBeUndefined();
      expect(boxAt(uniformBoxes([0.5, 0.5, 1, size], 1, 1), 0, [0, 0, 0], crop, picture)).toBeUndefined();
    }
  });
});

describe('clipping', () => {
  it('keeps the part of a box in the image', () => {
    const image = { width: 100, height: 50 };
    expect(clip({ x: -10, y: 10, width: 30, height: 100 }, image)).toEqual({
      x: 0,
      y: 10,
      width: 20,
      height: 40,
    });
    expect(clip({ x: 100, y: 10, width: 30, height: 10 }, image)).toBeUndefined();
    expect(clip({ x: 10, y: -20, width: 30, height: 10 }, image)).toBeUndefined();
  });
});

describe('posteriors of windows', () => {
  it('are the softmax at each position, mean over networks', () => {
    const shape = [2, 1, 3, 2, 2] as const;
    const scores = fc.array(fc.double({ min: -200, max: 200, noNaN: true }), {
      minLength: 24,
      maxLength: 24,
    });
    fc.assert(
      fc.property(fc.array(scores, { minLength: 1, maxLength: 3 }), (networks) => {
        const maps = networks.map((data) => ({ data: Float32Array.from(data), shape }));
        const posteriors = windowPosteriors(maps);
        expect(posteriors).toMatchObject({ views: 2, height: 2, width: 2 });
        for (let view = 0; view < 2; view++) {
          for (let position = 0; position < 4; position++) {
            const expected = [0, 0, 0];
            for (const { data } of maps) {
              const own = [0, 1, 2].map((c) => data[(view * 3 + c) * 4 + position]!);
              const exponentials = own.map((score) => Math.exp(score - Math.max(...own)));
              const sum = exponentials.reduce((a, b) => a + b);
              exponentials.forEach((e, c) => {
                expected[c]! += e / sum / maps.length;
              });
            }
            for (const [c, p] of expected.entries())
              expect(posteriors.of(c, view)[position]).toBeCloseTo(p, 5);
          }
        }
      }),
    );
  });
});
