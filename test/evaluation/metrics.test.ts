import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  classMetrics,
  classShares,
  isLocalised,
  isRightBox,
  type RankedImage,
  worstConfusions,
} from '../../src/evaluation/metrics.ts';
import { counted } from '../../src/evaluation/notes.ts';

describe('class metrics', () => {
  const images: RankedImage[] = [
    { label: 'b', rank: 5, answer: 'a' },
    { label: 'a', rank: 0, answer: 'a' },
    { label: 'a', rank: 0, answer: 'a' },
    { label: 'a', rank: 4, answer: 'c' },
  ];

  it('have the known answers', () => {
    expect(classMetrics(images)).toEqual({ top1: 0.5, top5: 0.75, meanPerClass: 1 / 3 });
    expect(classShares(images)).toEqual([
      { label: 'a', images: 3, top1: 2 / 3, top5: 1 },
      { label: 'b', images: 1, top1: 0, top5: 0 },
    ]);
  });

  it('know what the worst classes are taken for', () => {
    const more: RankedImage[] = [
      ...images,
      { label: 'a', rank: 1, answer: 'b' },
      { label: 'a', rank: 1, answer: 'c' },
      { label: 'c', rank: 0, answer: 'c' },
    ];
    const b = { label: 'b', images: 1, top1: 0, takenFor: [{ label: 'a', images: 1 }] };
    const takenFor = [
      { label: 'c', images: 2 },
      { label: 'b', images: 1 },
    ];
    expect(worstConfusions(more, 5)).toEqual([b, { label: 'a', images: 5, top1: 0.4, takenFor }]);
    expect(worstConfusions(more, 1)).toEqual([b]);
  });

  /** Images of three classes and seven possible ranks; the answer is right where the rank is 0. */
  const anyImages = fc.array(
    fc
      .tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 6 }))
      .map(([label, rank]): RankedImage => {
        return { label: `${label}`, rank, answer: rank === 0 ? `${label}` : `${(label + rank) % 3}x` };
      }),
    { minLength: 1 },
  );

  it('are those of the classes, weighed by their images', () => {
    fc.assert(
      fc.property(anyImages, (some) => {
        const { top1, top5, meanPerClass } = classMetrics(some);
        const classes = classShares(some);
        const weighed = (share: 'top1' | 'top5'): number =>
          classes.reduce((sum, one) => sum + one[share] * one.images, 0) / some.length;
        expect(weighed('top1')).toBeCloseTo(top1, 12);
        expect(weighed('top5')).toBeCloseTo(top5, 12);
        expect(top5).toBeGreaterThanOrEqual(top1);
        const worst = Math.min(...classes.map((one) => one.top1));
        const best = Math.max(...classes.map((one) => one.top1));
        expect(meanPerClass).toBeGreaterThanOrEqual(worst - 1e-12);
        expect(meanPerClass).toBeLessThanOrEqual(best + 1e-12);
      }),
    );
  });

  it('do not depend on the order of the images', () => {
    const shuffled = anyImages.chain((some) =>
      fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })),
    );
    fc.assert(
      fc.property(shuffled, ([some, others]) => {
        expect(classMetrics(others)).toEqual(classMetrics(some));
        expect(classShares(others)).toEqual(classShares(some));
        expect(worstConfusions(others, 2)).toEqual(worstConfusions(some, 2));
      }),
    );
  });

  it('mean the same per class where an image is there twice', () => {
    fc.assert(
      fc.property(anyImages, (some) => {
        const first = some.filter(({ label }) => label === some[0]!.label);
        expect(classMetrics([...some, ...first]).meanPerClass).toBeCloseTo(
          classMetrics(some).meanPerClass,
          12,
        );
      }),
    );
  });

  it('count every mistake once', () => {
    fc.assert(
      fc.property(anyImages, (some) => {
        const counted = worstConfusions(some, 3).flatMap(({ takenFor }) => takenFor);
        const mistakes = some.filter(({ rank }) => rank > 0).length;
        expect(counted.reduce((sum, { images: own }) => sum + own, 0)).toBe(mistakes);
      }),
    );
  });
});

describe('localisation', () => {
  const truth = { label: 'd', box: [10, 10, 20, 20] } as const;

  it('needs the right class and an overlap of more than one half in one guess', () => {
    const isRight = (label: string, box: readonly [number, number, number, number] | null): boolean =>
      isLocalised([{ label, box }], truth, 1);
    expect(isRight('d', [10, 10, 20, 20])).toBe(true);
    expect(isRight('d', [10, 10, 20, 10])).toBe(false); // exactly one half
    expect(isRight('d', [10, 10, 20, 11])).toBe(true);
    expect(isRight('c', [10, 10, 20, 20])).toBe(false);
    expect(isRight('d', null)).toBe(false);
    expect(isLocalised([], truth, 5)).toBe(false);
  });

  it('counts as many guesses as are asked for', () => {
    const wrong = { label: 'a', box: [10, 10, 20, 20] } as const;
    const guesses = [wrong, wrong, truth];
    expect([1, 2, 3].map((count) => isLocalised(guesses, truth, count))).toEqual([false, false, true]);
  });

  it('never gets worse by more guesses, and needs one right box', () => {
    const box = fc.tuple(fc.nat(20), fc.nat(20), fc.integer({ min: 1, max: 30 }), fc.nat(30));
    const guess = fc.record({ label: fc.constantFrom('c', 'd'), box: fc.option(box) });
    fc.assert(
      fc.property(fc.array(guess), fc.nat(6), (guesses, count) => {
        const is = isLocalised(guesses, truth, count);
        if (is) expect(isLocalised(guesses, truth, count + 1)).toBe(true);
        const right = guesses.findIndex((one) => one.label === 'd' && isRightBox(one.box, truth.box));
        expect(is).toBe(right >= 0 && right < count);
      }),
    );
  });
});

describe('a count', () => {
  it('is of one thing or of several', () => {
    const of = (count: number): string[] => ['image', 'class', 'box'].map((thing) => counted(count, thing));
    expect(of(1)).toEqual(['1 image', '1 class', '1 box']);
    expect(of(0)).toEqual(['0 images', '0 classes', '0 boxes']);
    expect(of(12)).toEqual(['12 images', '12 classes', '12 boxes']);
  });
});
