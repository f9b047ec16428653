import type { OnTrainingEvent } from '../training/events.ts';

/** Steps and loading are told once in so many milliseconds: enough for a curve, however fast they are. */
const intervalMs = 1000;

/** Passes on every event but those steps, and that progress of loading, which come too soon after the last one. */
export function throttleSteps(onEvent: OnTrainingEvent): OnTrainingEvent {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (event) => {
    if (event.type === 'step' || event.type === 'loading') {
      const now = performance.now();
      if (now - toldAt < intervalMs) return;
      toldAt = now;
    }
    onEvent(event);
  };
}
