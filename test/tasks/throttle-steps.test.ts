import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { throttleSteps } from '../../src/tasks/throttle-steps.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('passes on a step a second, the one before another event, and the last one of all', () => {
  const told: string[] = [];
  const tell = throttleSteps<{ type: string; step?: number; steps?: number }>(({ type, step = '' }) => {
    told.push(`${type}${step}`);
  });
  const step = (n: number): void => tell({ type: 'step', step: n, steps: 9 });
  for (const n of [1, 2, 3]) step(n);
  vi.advanceTimersByTime(1000);
  for (const n of [4, 5]) step(n);
  tell({ type: 'checkpoint' });
  for (const n of [6, 7, 8, 9]) step(n);
  expect(told).toEqual(['step1', 'step4', 'step5', 'checkpoint', 'step9']);
});
