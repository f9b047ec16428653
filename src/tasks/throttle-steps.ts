/** Steps and loading are told once in so many milliseconds: enough for a curve, however fast they are. */
const intervalMs = 1000;

interface ThrottledEvent {
  readonly type: string;
  /** Of steps: which one, of how many. */
  readonly step?: number;
  readonly steps?: number;
}

/**
 * Passes on every event but those steps, and that progress of loading, which come too soon after the last one. The last
 * one before another event is passed on with it, the last step of all as it comes.
 */
export function throttleSteps<Event extends ThrottledEvent>(
  onEvent: (event: Event) => void,
): (event: Event) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  let held: Event | undefined;
  return (event) => {
    const now = performance.now();
    const isLast = event.steps !== undefined && event.step === event.steps;
    const isProgress = (event.type === 'step' || event.type === 'loading') && !isLast;
    if (isProgress && now - toldAt < intervalMs) {
      held = event;
      return;
    }
    if (held !== undefined && held.type !== event.type) onEvent(held);
    held = undefined;
    if (isProgress) toldAt = now;
    onEvent(event);
  };
}
