import { describe, expect, it } from 'vitest';
import { meanOf, meanOfRows, rankClasses } from '../../src/inference/average.ts';
import { coveredMs } from '../../src/inference/scheduling/run-batch.ts';

describe('the ensemble', () => {
  it('averages posteriors, each of equal weight', () => {
    expect([...meanOf([Float32Array.of(0.5, 0.5), Float32Array.of(1, 0), Float32Array.of(0, 1)])]).toEqual([
      0.5, 0.5,
    ]);
    expect([...meanOfRows(Float32Array.of(1, 0, 0.5, 0.5), 2)]).toEqual([0.75, 0.25]);
  });

  it('ranks by posterior, equal ones by index, and has no more classes than there are', () => {
    const labels = ['a', 'b', 'c'];
    expect(rankClasses([0.25, 0.5, 0.25], labels, 2)).toEqual([
      { index: 1, label: 'b', probability: 0.5 },
      { index: 0, label: 'a', probability: 0.25 },
    ]);
    expect(rankClasses([0.25, 0.5, 0.25], labels, 9)).toHaveLength(3);
  });
});

describe('covered time', () => {
  it('counts once what intervals share', () => {
    const interval = (startedMs: number, doneMs: number) => ({ startedMs, doneMs });
    expect(coveredMs([interval(5, 8), interval(0, 2), interval(1, 3), interval(6, 7)])).toBe(6);
    expect(coveredMs([])).toBe(0);
  });
});
