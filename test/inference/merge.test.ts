import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Box } from '../../src/image/box.ts';
import {
  type Candidate,
  type MergedBox,
  matchScore,
  matchThreshold,
  mergeBoxes,
} from '../../src/inference/merge.ts';

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const anyBox: fc.Arbitrary<Box> = fc.record({
  x: number(-100, 500),
  y: number(-100, 500),
  width: number(1, 400),
  height: number(1, 400),
});
/** On a coarse grid, so that many boxes are equal, touch, or match equally well. */
const gridBox: fc.Arbitrary<Box> = fc
  .tuple(fc.nat(6), fc.nat(6), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))
  .map(([x, y, width, height]) => ({ x: 8 * x, y: 8 * y, width: 16 * width, height: 16 * height }));
const candidates: fc.Arbitrary<Candidate[]> = fc.array(
  fc.record({ box: fc.oneof(anyBox, gridBox), posterior: number(0, 1) }),
  { maxLength: 14 },
);

/** The procedure word for word: all pairs anew in each round. */
function mergeByBruteForce(boxes: readonly Candidate[]): MergedBox[] {
  let left: MergedBox[] = boxes.map(({ box, posterior }) => ({ box, score: posterior, windows: 1 }));
  for (;;) {
    let best: { i: number; j: number; score: number } | undefined;
    for (let i = 0; i < left.length; i++) {
      for (let j = i + 1; j < left.length; j++) {
        const score = matchScore(left[i]!.box, left[j]!.box);
        if (score < (best?.score ?? matchThreshold)) best = { i, j, score };
      }
    }
    if (!best) return left.sort((a, b) => b.score - a.score);
    const [a, b] = [left[best.i]!, left[best.j]!];
    const weight = a.score + b.score > 0 ? a.score / (a.score + b.score) : 0.5;
    const box = {
      x: weight * a.box.x + (1 - weight) * b.box.x,
      y: weight * a.box.y + (1 - weight) * b.box.y,
      width: weight * a.box.width + (1 - weight) * b.box.width,
      height: weight * a.box.height + (1 - weight) * b.box.height,
    };
    left = left.with(best.i, { box, score: a.score + b.score, windows: a.windows + b.windows });
    left = left.toSpliced(best.j, 1);
  }
}

describe('merging', () => {
  it('does what the procedure says', () => {
    fc.assert(
      fc.property(candidates, (boxes) => {
        expect(mergeBoxes(boxes)).toEqual(mergeByBruteForce(boxes));
      }),
      { numRuns: 500 },
    );
  });

  it('leaves no pair under the threshold, and loses no window and no posterior', () => {
    fc.assert(
      fc.property(candidates, (boxes) => {
        const merged = mergeBoxes(boxes);
        merged.forEach((a, i) => {
          for (const b of merged.slice(i + 1))
            expect(matchScore(a.box, b.box)).toBeGreaterThanOrEqual(matchThreshold);
        });
        const sum = (numbers: number[]): number => numbers.reduce((total, n) => total + n, 0);
        expect(sum(merged.map(({ windows }) => windows))).toBe(boxes.length);
        expect(sum(merged.map(({ score }) => score))).toBeCloseTo(
          sum(boxes.map(({ posterior }) => posterior)),
          9,
        );
      }),
    );
  });

  it('makes one box of two that nearly agree, and keeps a third apart', () => {
    const merged = mergeBoxes([
      { box: { x: 0, y: 0, width: 100, height: 50 }, posterior: 0.5 },
      { box: { x: 300, y: 0, width: 100, height: 50 }, posterior: 0.6 },
      { box: { x: 12, y: 6, width: 100, height: 50 }, posterior: 0.25 },
    ]);
    expect(merged).toEqual([
      { box: { x: 4, y: 2, width: 100, height: 50 }, score: 0.75, windows: 2 },
      { box: { x: 300, y: 0, width: 100, height: 50 }, score: 0.6, windows: 1 },
    ]);
  });

  it('has nothing to do with no boxes', () => expect(mergeBoxes([])).toEqual([]));
});

describe('the match score', () => {
  it('is 0 for equal boxes, over 1 for boxes apart, and the same both ways', () => {
    fc.assert(
      fc.property(anyBox, anyBox, (a, b) => {
        expect(matchScore(a, a)).toBeCloseTo(0, 9);
        expect(matchScore(a, b)).toBeCloseTo(matchScore(b, a), 9);
        expect(matchScore(a, { ...b, x: a.x + a.width + 1 })).toBeGreaterThan(1);
      }),
    );
  });

  it('does not depend on the size of the picture', () => {
    fc.assert(
      fc.property(anyBox, anyBox, number(0.1, 10), (a, b, factor) => {
        const enlarged = ({ x, y, width, height }: Box): Box => ({
          x: x * factor,
          y: y * factor,
          width: width * factor,
          height: height * factor,
        });
        expect(matchScore(enlarged(a), enlarged(b))).toBeCloseTo(matchScore(a, b), 6);
      }),
    );
  });
});
