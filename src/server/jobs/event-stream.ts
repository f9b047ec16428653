import type { JobEvent } from '../../jobs/job.ts';
import { within } from '../within.ts';

/** Milliseconds after which a client that was cut off comes back. */
const retryMs = 2000;

/**
 * A job's events as the text of server-sent events (WHATWG HTML, 9.2), and a comment line whenever there was none for
 * `keepAliveMs`, so that proxies leave the connection open. Nothing is read ahead: the next event is asked for when
 * the one before it has been taken. Ends when `signal` is aborted, whether the events end then or throw.
 */
export async function* eventStream(
  events: AsyncIterable<JobEvent>,
  signal: AbortSignal,
  keepAliveMs: number,
): AsyncGenerator<string> {
  yield `retry: ${retryMs}\n\n`;
  const iterator = events[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = iterator.next();
      next.catch(() => {}); // nobody waits for it once the client has left
      let result = await within(next, keepAliveMs);
      while (result === undefined) {
        yield ': keep-alive\n\n';
        result = await within(next, keepAliveMs);
      }
      if (result.done) return;
      yield textOf(result.value);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await iterator.return?.();
  }
}

// --- helpers ---

function textOf({ sequence, type, time, data }: JobEvent): string {
  return `id: ${sequence}\nevent: ${type}\ndata: ${JSON.stringify({ time, ...data })}\n\n`;
}
