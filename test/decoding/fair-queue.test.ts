import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFairQueue } from '../../src/decoding/fair-queue.ts';

const never = new AbortController().signal;

describe('a fair queue', () => {
  it('serves clients in turns and each in its order, so that one with many holds up nobody', async () => {
    const queue = createFairQueue(['place']);
    const place = await queue.acquire('first', never);
    const served: string[] = [];
    const ask = (client: string, name: string): Promise<void> =>
      queue.acquire(client, never).then((given) => {
        served.push(name);
        queue.release(given);
      });
    const all = [ask('many', 'm1'), ask('many', 'm2'), ask('many', 'm3'), ask('one', 'o1'), ask('two', 't1')];
    expect(queue.waiting()).toBe(5);
    queue.release(place);
    await Promise.all(all);
    expect(served).toEqual(['m1', 'o1', 't1', 'm2', 'm3']);
    expect(queue.waiting()).toBe(0);
  });

  it('forgets who no longer waits', async () => {
    const queue = createFairQueue([1]);
    await queue.acquire('a', never);
    const leaving = new AbortController();
    const gone = queue.acquire('b', leaving.signal);
    const next = queue.acquire('c', never);
    leaving.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    queue.release(1);
    expect(await next).toBe(1);
    await expect(queue.acquire('d', AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
  });

  it('never gives a place twice nor loses one, in whatever order things happen', async () => {
    const action = fc.oneof(
      fc.record({ type: fc.constant('acquire' as const), client: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ type: fc.constant('release' as const) }),
      fc.record({ type: fc.constant('abort' as const), which: fc.nat(20) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        const queue = createFairQueue(['x', 'y']);
        const held: string[] = [];
        const waiters: AbortController[] = [];
        let settled = 0;
        let asked = 0;
        for (const next of actions) {
          if (next.type === 'acquire') {
            const waiter = new AbortController();
            waiters.push(waiter);
            asked++;
            queue.acquire(next.client, waiter.signal).then(
              (place) => held.push(place),
              () => settled++,
            );
          } else if (next.type === 'release') {
            const place = held.shift();
            if (place !== undefined) queue.release(place);
          } else waiters[next.which % Math.max(1, waiters.length)]?.abort(new Error('gone'));
          await new Promise(setImmediate);
          expect(new Set(held).size).toBe(held.length);
        }
        // Whoever waits is served when places come back.
        while (held.length > 0) {
          queue.release(held.shift()!);
          settled++;
          await new Promise(setImmediate);
        }
        expect(queue.waiting()).toBe(0);
        const places = [await queue.acquire('z', never), await queue.acquire('z', never)];
        expect(places.sort()).toEqual(['x', 'y']);
        expect(settled).toBeLessThanOrEqual(asked);
      }),
      { numRuns: 100 },
    );
  });
});
