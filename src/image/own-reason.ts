import type { ImageFormat } from './format.ts';
import { refusedImage } from './libvips.ts';

/** Tasks that run now, and what is told when there is none. */
let running = 0;
let whenNone: (() => void) | undefined;
/** How many have begun: a task during which this stood still, and that began with no other, ran alone. */
let begun = 0;
/** Fulfilled when no task is to run alone any more; another one may have come meanwhile. */
let alone: Promise<unknown> = Promise.resolve();

/**
 * Runs what decodes an image. libvips keeps one buffer of reasons for the whole process, so the reason of a failure may be
 * another image's: a task that fails beside others runs once more while no other does. Throws CORRUPT_IMAGE, UNSUPPORTED_IMAGE.
 */
export async function withOwnReason<T>(format: ImageFormat, task: () => Promise<T>): Promise<T> {
  for (let seen: unknown; seen !== alone; ) {
    seen = alone;
    await seen;
  }
  const isFirst = running === 0;
  const own = ++begun;
  running++;
  try {
    return await task();
  } catch (error) {
    if (isFirst && begun === own) throw refusedImage(format, error);
    // Else the reason comes from the second run.
  } finally {
    if (--running === 0) whenNone?.();
  }
  const turn = alone.then(async () => {
    if (running > 0) await new Promise<void>((resolve) => (whenNone = resolve));
    whenNone = undefined;
    return task();
  });
  alone = turn.catch(() => undefined);
  return turn.catch((error: unknown) => {
    throw refusedImage(format, error);
  });
}
