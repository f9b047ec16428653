import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTokenAttempts } from '../../src/server/token-attempts.ts';
import { startApp } from './app-under-test.ts';
import { createMemoryJobs } from './jobs/memory-jobs.ts';

const refused = expect.objectContaining({ code: 'TOO_MANY_ATTEMPTS', retryAfterSeconds: 3 });

describe('wrong tokens', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Attempts whose answers are noted with their time. */
  function start(maxAddresses = 2) {
    const attempts = createTokenAttempts({ delayMs: 1000, maxWaiting: 3, maxAddresses });
    const answered: string[] = [];
    const began = Date.now();
    const fail = (address: string): void => {
      attempts.admit(address);
      void attempts.failed(address).then(() => answered.push(`${address} ${Date.now() - began}`));
    };
    return { attempts, answered, fail };
  }

  it('of one address are answered one after the other, those of another meanwhile', async () => {
    const { answered, fail } = start();
    for (const address of ['a', 'a', 'b', 'a']) fail(address);
    await vi.advanceTimersByTimeAsync(999);
    expect(answered).toEqual([]);
    await vi.advanceTimersByTimeAsync(2001);
    expect(answered.sort()).toEqual(['a 1000', 'a 2000', 'a 3000', 'b 1000']);
  });

  it('are refused before they are looked at while too many wait', async () => {
    const { attempts, fail } = start();
    for (let i = 0; i < 3; i++) fail('a');
    expect(() => attempts.admit('a')).toThrow(refused);
    attempts.admit('b');
    await vi.advanceTimersByTimeAsync(1000);
    attempts.admit('a');
  });

  it('of many addresses share one place', async () => {
    const { attempts, answered, fail } = start();
    for (const address of ['a', 'b', 'c', 'd', 'e']) fail(address);
    expect(() => attempts.admit('f')).toThrow(refused);
    attempts.admit('a');
    await vi.advanceTimersByTimeAsync(3000);
    expect(answered.sort()).toEqual(['a 1000', 'b 1000', 'c 1000', 'd 2000', 'e 3000']);
    attempts.admit('f');
  });
});

it('a flood of guesses keeps no other address out, and is told to come back', async () => {
  const token = 'a-token-of-many-letters';
  const { app } = await startApp({ admin: { token, jobs: createMemoryJobs() } });
  const ask = async (remoteAddress: string, word: string): Promise<number> => {
    const headers = { authorization: `Bearer ${word}` };
    return (await app.inject({ url: '/admin/jobs', remoteAddress, headers })).statusCode;
  };
  const guesses = Array.from({ length: 10 }, (_, i) => ask('10.0.0.1', `guess-${i}`));
  expect(await ask('10.0.0.2', token)).toBe(200);
  expect((await Promise.all(guesses)).sort()).toEqual([...Array(8).fill(401), 429, 429]);
  expect(await ask('10.0.0.1', token)).toBe(200);
});
