/** Steps and loading are told once in so many milliseconds: enough for a curve, however fast they are. */
const intervalMs = 1000;

/**
 * Passes on every event but those steps, and that progress of loading, which come too soon after the last one. The last
 * one before another event is passed on with it.
 */
export function throttleSteps<Event extends { readonly type: string }>(
  onEvent: (event: Event) => void,
): (event: Event) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  let held: Event | undefined;
  return (event) => {
    const now = performance.now();
    if ((event.type === 'step' || event.type === 'loading') && now - toldAt < intervalMs) {
      held = event;
      return;
    }
    if (held !== undefined && held.type !== event.type) onEvent(held);
    held = undefined;
    if (event.type === 'step' || event.type === 'loading') toldAt = now;
    onEvent(event);
  };
}
