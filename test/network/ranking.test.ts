import fc from 'fast-check';
import { expect, it } from 'vitest';
import { highest, rankOf } from '../../src/network/ranking.ts';

it('is that of a sort which keeps equal ones in their order', () => {
  const posterior = fc.integer({ min: 0, max: 6 }).map((n) => n / 6); // few values: many are equal
  fc.assert(
    fc.property(fc.array(posterior, { maxLength: 12 }), fc.nat(14), (posteriors, count) => {
      const sorted = [...posteriors.keys()].sort((a, b) => posteriors[b]! - posteriors[a]!);
      expect(highest(posteriors, count)).toEqual(sorted.slice(0, count));
      expect([...posteriors.keys()].map((i) => rankOf(posteriors, i))).toEqual(
        [...posteriors.keys()].map((i) => sorted.indexOf(i)),
      );
    }),
  );
});
