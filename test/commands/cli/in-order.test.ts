import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inOrder } from '../../../src/commands/cli/in-order.ts';

it('yields in order, whatever ends first, and never works on more than it may', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 4 }), async (scheduler, concurrency) => {
      const items = [0, 1, 2, 3, 4, 5, 6];
      let active = 0;
      const work = async (item: number) => {
        expect(++active).toBeLessThanOrEqual(concurrency);
        await scheduler.schedule(Promise.resolve());
        active--;
        return item;
      };
      const results: number[] = [];
      const reading = (async () => {
        for await (const result of inOrder(items, concurrency, work)) results.push(result);
      })();
      await scheduler.waitFor(reading);
      expect(results).toEqual(items);
    }),
  );
});

it('throws an error where its result would stand', async () => {
  const results: number[] = [];
  const work = async (item: number) => {
    if (item === 2) throw new Error('two');
    return item;
  };
  await expect(async () => {
    for await (const result of inOrder([1, 2, 3], 3, work)) results.push(result);
  }).rejects.toThrow('two');
  expect(results).toEqual([1]);
});
