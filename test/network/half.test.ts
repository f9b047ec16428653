import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../src/network/half.ts';

describe('16-bit numbers', () => {
  it('come back exactly from every bit pattern', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const half = fromFloat16(bits);
      if (!Number.isNaN(half)) expect(toFloat16(half)).toBe(bits);
      const brain = fromBfloat16(bits);
      if (!Number.isNaN(brain)) expect(toBfloat16(brain)).toBe(bits);
    }
  });

  it('round to the nearest neighbour', () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (x) => {
        const bits = toFloat16(x);
        const error = Math.abs(fromFloat16(bits) - x);
        for (const neighbour of [bits - 1, bits + 1]) {
          const other = fromFloat16(neighbour & 0xffff);
          if (Number.isFinite(other)) expect(error).toBeLessThanOrEqual(Math.abs(other - x));
        }
      }),
    );
  });
});
