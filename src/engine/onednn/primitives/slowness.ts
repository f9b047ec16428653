import type { PrimitiveDesc } from './primitives.ts';

/**
 * How slow an implementation is, by its name: a layout asked for can silently select plain loops. Names and not
 * timings decide between layouts, so that every run on a machine takes the same kernels and gives the same numbers.
 * 0: code made for the shape at run time; 1: by way of a general matrix product; 2: plain loops, hundreds of times
 * slower, and every name that nobody has measured.
 */
export function slownessOf({ implementation }: Pick<PrimitiveDesc, 'implementation'>): 0 | 1 | 2 {
  if (/^(jit|brg|brgconv|brgemm)(_\w+)?:/.test(implementation)) return 0;
  return /^(x64:)?gemm:/.test(implementation) ? 1 : 2;
}
