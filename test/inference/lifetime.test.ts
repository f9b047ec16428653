import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLifetime, unlessAborted } from '../../src/inference/lifetime.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = new Promise<never>(() => {});

describe('a lifetime', () => {
  it('ends with the caller', async () => {
    const caller = new AbortController();
    const { signal } = createLifetime({ signal: caller.signal, deadline: Number.POSITIVE_INFINITY });
    const waiting = unlessAborted(never, signal);
    caller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
    expect(createLifetime({ signal: caller.signal, deadline: 1e12 }).signal.reason.code).toBe(
      'REQUEST_CANCELLED',
    );
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends at its deadline, not before', async () => {
    const caller = new AbortController();
    const { signal } = createLifetime({ signal: caller.signal, deadline: performance.now() + 50 });
    vi.advanceTimersByTime(49);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.reason.code).toBe('DEADLINE_EXCEEDED');
    await expect(unlessAborted(never, signal)).rejects.toBe(signal.reason);
    expect(createLifetime({ signal: caller.signal, deadline: -1 }).signal.reason.code).toBe(
      'DEADLINE_EXCEEDED',
    );
  });

  it('leaves no timer behind, and has none for a deadline beyond what timers can do', () => {
    const { signal } = new AbortController();
    const { end } = createLifetime({ signal, deadline: performance.now() + 1000 });
    createLifetime({ signal, deadline: 2 ** 40 });
    expect(vi.getTimerCount()).toBe(1);
    end();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets through what is done in time', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(7), signal)).toBe(7);
    await expect(unlessAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  });
});
