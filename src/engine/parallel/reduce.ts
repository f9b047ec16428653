/** The sum over workers as each of them computes a slice of it, and then takes the others' slices (reduce-scatter). */

/** Numbers in a cache line: two workers must not write into one. */
const lineLength = 16;

/** First number and end of the slice that worker `rank` sums. */
export function sliceOf(
  rank: number,
  workers: number,
  length: number,
): readonly [start: number, end: number] {
  const bound = (i: number): number =>
    i === workers ? length : Math.floor((i * length) / workers / lineLength) * lineLength;
  return [bound(rank), bound(rank + 1)];
}

/**
 * Adds slice `rank` of all other rows to that of row `rank`, in place. Every number is summed by one worker only, always
 * in this order, so the result is the same bits in every run and for all.
 */
export function sumSlice(rows: readonly Float32Array[], rank: number): void {
  const own = rows[rank]!;
  const [start, end] = sliceOf(rank, rows.length, own.length);
  for (const row of rows) {
    if (row === own) continue;
    for (let i = start; i < end; i++) own[i]! += row[i]!;
  }
}
