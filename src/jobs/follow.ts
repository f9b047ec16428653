import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import { hasEnded, type JobEvent } from './job.ts';
import { isUnavailable } from './opening.ts';
import { readEvents } from './store.ts';
import { foundJob } from './transitions.ts';

/** Events that are read at a time. */
const eventsPerRead = 500;

/**
 * Events of a job after number `sequence`, then those that follow, until the job ends or `signal` is aborted. A database
 * that cannot be reached is waited for. Throws NOT_FOUND.
 */
export async function* followEvents(
  database: Database,
  id: string,
  sequence: number,
  signal: AbortSignal,
  pollMs: number,
): AsyncGenerator<JobEvent> {
  let last = sequence;
  while (!signal.aborted) {
    try {
      // The state first: events that come between the two are read.
      const { state } = await foundJob(database, id);
      const events = await readEvents(database, id, last, eventsPerRead);
      for (const event of events) {
        yield event;
        last = event.sequence;
      }
      if (events.length === eventsPerRead) continue;
      if (hasEnded(state)) return;
    } catch (error) {
      if (!isUnavailable(error)) throw error; // the reader waits with us
    }
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
}
