import { describe, expect, it } from 'vitest';
import {
  afterValidation,
  initialScheduleState,
  learningRate,
  parseSchedule,
  readRates,
} from '../../src/training/schedule.ts';

/** Rates of the epochs of a run with these validation accuracies. */
function ratesOf(text: string, patience: number, accuracies: readonly number[]): number[] {
  const schedule = parseSchedule(text, patience);
  let state = initialScheduleState;
  return accuracies.map((accuracy, i) => {
    const rate = learningRate(schedule, i + 1, state);
    state = afterValidation(schedule, state, accuracy);
    return rate;
  });
}

describe('learning rate', () => {
  it('falls tenfold after `patience` epochs without improvement', () => {
    expect(ratesOf('0.01', 2, [0.1, 0.2, 0.2, 0.1, 0.3, 0.3, 0.3, 0.3])).toEqual([
      0.01, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.0001,
    ]);
  });

  it('falls three times and no more', () => {
    const rates = ratesOf('0.01', 1, new Array(8).fill(0.5));
    expect(rates.at(-1)).toBe(1e-5);
  });

  it('follows given steps whatever validation says', () => {
    expect(ratesOf('0.01,3:0.001,4:1e-4', 1, new Array(5).fill(0))).toEqual([0.01, 0.01, 0.001, 1e-4, 1e-4]);
    expect(ratesOf('1:0.01,2:0.1', 1, [0, 0])).toEqual([0.01, 0.1]);
  });

  it.each([
    '',
    'fast',
    '-1',
    '0',
    '2:0.01',
    '0.01,5',
    '0.01,5:0.1,5:0.2',
    '0.01,2.5:0.1',
    '0.01,NaN:1',
    '0.01,',
    ',',
    '1:',
    '1:0.1:2',
  ])('refuses %j', (text) => {
    expect(readRates(text)).toBeUndefined();
    expect(() => parseSchedule(text, 5)).toThrow(RangeError);
  });
});
