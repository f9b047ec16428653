/** Speed of the last steps, and the time that is left. */
export interface Speedometer {
  step(images: number): { readonly imagesPerSecond: number; readonly etaSeconds: number };
}

/** Milliseconds over which the speed is averaged. */
const windowMs = 3000;

/** `now` returns milliseconds of a monotonic clock. */
export function createSpeedometer(
  stepsLeft: number,
  now: () => number = () => performance.now(),
): Speedometer {
  const start = now();
  let done = 0;
  let windowStart = start;
  let images = 0;
  let imagesPerSecond = 0;
  return {
    step(count) {
      const time = now();
      done += 1;
      images += count;
      const elapsedMs = time - windowStart;
      if (elapsedMs >= windowMs || done * count === images) imagesPerSecond = (images / elapsedMs) * 1000;
      if (elapsedMs >= windowMs) {
        windowStart = time;
        images = 0;
      }
      // The whole time is taken for what is left, so that validation and checkpoints count.
      return { imagesPerSecond, etaSeconds: ((time - start) / done / 1000) * (stepsLeft - done) };
    },
  };
}
