import { describe, expect, it } from 'vitest';
import { createLimiter } from '../../../src/inference/scheduling/limiter.ts';

describe('a limiter', () => {
  it('runs a bounded number at a time, in order, and goes on after a failure', async () => {
    const limiter = createLimiter(2);
    const started: number[] = [];
    const settle: ((value: number | Promise<never>) => void)[] = [];
    const { signal } = new AbortController();
    const runs = [0, 1, 2, 3].map((id) =>
      limiter.run(() => {
        started.push(id);
        return new Promise<number>((resolve) => {
          settle[id] = resolve;
        });
      }, signal),
    );
    const outcomes = Promise.allSettled(runs);
    await Promise.resolve();
    expect(started).toEqual([0, 1]);
    settle[1]!(Promise.reject(new Error('no')));
    await runs[1]!.catch(() => {});
    await Promise.resolve();
    expect(started).toEqual([0, 1, 2]);
    settle[0]!(10);
    await runs[0];
    await Promise.resolve();
    settle[2]!(12);
    settle[3]!(13);
    expect((await outcomes).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
  });

  it('drops who is gone before its turn', async () => {
    const limiter = createLimiter(1);
    let finish!: () => void;
    const first = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const running = limiter.run(() => first, new AbortController().signal);
    const controller = new AbortController();
    let ran = false;
    const dropped = limiter.run(async () => {
      ran = true;
    }, controller.signal);
    controller.abort(new Error('gone'));
    await expect(dropped).rejects.toThrow('gone');
    finish();
    await running;
    await expect(limiter.run(async () => 1, controller.signal)).rejects.toThrow('gone');
    expect(await limiter.run(async () => 2, new AbortController().signal)).toBe(2);
    expect(ran).toBe(false);
  });
});
