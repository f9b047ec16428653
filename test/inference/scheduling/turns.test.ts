import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTurns } from '../../../src/inference/scheduling/turns.ts';

/** Serves items in the order of their turns; those of one turn by arrival. */
function serve(items: readonly { client: string; work: number }[]): { client: string; work: number }[] {
  const turns = createTurns();
  return items
    .map((item, at) => ({ item, at, turn: turns.next(item.client, item.work) }))
    .sort((a, b) => a.turn - b.turn || a.at - b.at)
    .map(({ item }) => item);
}

describe('turns', () => {
  it('serve one client in order of arrival', () => {
    const items = [5, 1, 3].map((work) => ({ client: 'a', work }));
    expect(serve(items)).toEqual(items);
  });

  it('let a client with one item pass another with many', () => {
    const many = Array.from({ length: 5 }, (_, i) => ({ client: 'many', work: 10 + i }));
    const one = { client: 'one', work: 10 };
    expect(serve([...many, one]).indexOf(one)).toBe(1);
  });

  it('owe nothing to a client for the time in which it was away', () => {
    const turns = createTurns();
    turns.next('busy', 100);
    turns.reached(turns.next('busy', 100));
    expect(turns.next('new', 1)).toBe(100);
    expect(turns.next('busy', 100)).toBe(200);
    turns.reset();
    expect(turns.next('busy', 100)).toBe(0);
  });

  it('give clients that all wait the same work, to within one item of each', () => {
    const item = fc.record({ client: fc.constantFrom('a', 'b', 'c'), work: fc.integer({ min: 1, max: 9 }) });
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 60 }), (items) => {
        const left = new Map<string, number>();
        for (const { client } of items) left.set(client, (left.get(client) ?? 0) + 1);
        const served = new Map([...left.keys()].map((client) => [client, 0]));
        for (const { client, work } of serve(items)) {
          const waiting = [...served].filter(([name]) => left.get(name)! > 0).map(([, own]) => own);
          // Served is one that has had least, but for what its own and the others' last items were too much.
          expect(served.get(client)! - Math.min(...waiting)).toBeLessThanOrEqual(9);
          served.set(client, served.get(client)! + work);
          left.set(client, left.get(client)! - 1);
        }
      }),
    );
  });
});
