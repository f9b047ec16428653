/** The span of time, in milliseconds, that intervals cover together; what they share counts once. */
export function coveredMs(
  intervals: readonly { readonly startedMs: number; readonly doneMs: number }[],
): number {
  let covered = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const { startedMs, doneMs } of [...intervals].sort((a, b) => a.startedMs - b.startedMs)) {
    covered += Math.max(0, doneMs - Math.max(startedMs, end));
    end = Math.max(end, doneMs);
  }
  return covered;
}
