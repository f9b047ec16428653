import { describe, expect, it } from 'vitest';
import { serialiseNpy } from '../../src/formats/npy.ts';

describe('a .npy file', () => {
  it('is what NumPy writes', () => {
    const data = Float32Array.of(1, -2.5, 0, 3, 1e-3, 7);
    const bytes = serialiseNpy(data, [2, 3]);
    // numpy.save of the same matrix, version 1.0: 10 bytes, a dictionary padded to 128, the data.
    const head = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    const expected = Buffer.concat([
      Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'),
      Buffer.from(`${head}${' '.repeat(118 - head.length - 1)}\n`),
      Buffer.from(data.buffer),
    ]);
    expect(bytes.equals(expected)).toBe(true);
  });

  it('holds a view of a larger array alone', () => {
    const bytes = serialiseNpy(Float32Array.of(9, 1, 2, 9).subarray(1, 3), [1, 2]);
    expect(bytes.length).toBe(128 + 8);
    expect([bytes.readFloatLE(128), bytes.readFloatLE(132)]).toEqual([1, 2]);
  });
});
