import { describe, expect, it } from 'vitest';
import { classMetrics, isLocalised } from '../../src/evaluation/metrics.ts';

describe('class metrics', () => {
  it('have the known answers', () => {
    const images = [
      { label: 0, rank: 0 },
      { label: 0, rank: 0 },
      { label: 0, rank: 4 },
      { label: 1, rank: 5 },
    ];
    expect(classMetrics(images)).toEqual({ top1: 0.5, top5: 0.75, meanPerClass: 1 / 3 });
  });
});

describe('localisation', () => {
  const truth = { label: 3, box: [10, 10, 20, 20] } as const;
  it('needs the right class and an overlap of more than one half in one guess', () => {
    expect(isLocalised([{ label: 3, box: [10, 10, 20, 20] }], truth)).toBe(true);
    expect(isLocalised([{ label: 3, box: [10, 10, 20, 10] }], truth)).toBe(false); // exactly one half
    expect(isLocalised([{ label: 3, box: [10, 10, 20, 11] }], truth)).toBe(true);
    expect(isLocalised([{ label: 2, box: [10, 10, 20, 20] }], truth)).toBe(false);
    expect(isLocalised([], truth)).toBe(false);
  });

  it('counts five guesses', () => {
    const wrong = { label: 1, box: [10, 10, 20, 20] } as const;
    expect(isLocalised([wrong, wrong, wrong, wrong, truth], truth)).toBe(true);
    expect(isLocalised([wrong, wrong, wrong, wrong, wrong, truth], truth)).toBe(false);
  });
});
