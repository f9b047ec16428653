import { VerydeepError } from '../../errors.ts';
import type { QueueState } from '../inference.ts';
import type { Throughput } from './throughput.ts';

/** What a request has in the queue's books. */
export interface Claim {
  /** An item with part of the claimed work begins; the answer is to be called when the engine has done with it. */
  begin(work: number): () => void;
  /** Gives back what no item has begun with; nothing begins afterwards. */
  release(): void;
}

/** The books of the queue: work that was admitted and is not done. */
export interface Admission {
  /** Throws QUEUE_FULL where there is no room, or where all that was admitted cannot be done by `deadline` (`performance.now()`). */
  admit(work: number, deadline?: number): Claim;
  queue(): QueueState;
}

/** The rate varies, and batches overtake each other: refused is what would be late at half of it. */
const caution = 2;

/**
 * A request with more than `maxWork` is admitted where there is no other. Batches are made across requests, so under overload
 * all of them end late: without a look at the deadline each would be computed, and none answered in time.
 */
export function createAdmission(maxWork: number, throughput: Throughput): Admission {
  let queued = 0;
  let requests = 0;

  return {
    queue: () => ({ requests, work: queued, maxWork }),
    admit(work, deadline = Number.POSITIVE_INFINITY) {
      if (requests > 0 && queued + work > maxWork) {
        throw queueFull(work, queued, maxWork, throughput.secondsFor(queued + work - maxWork));
      }
      const seconds = throughput.isSettled() ? (throughput.secondsFor(queued + work) ?? 0) : 0;
      const secondsLeft = (deadline - performance.now()) / 1000;
      if (requests > 0 && caution * seconds > secondsLeft) throw tooSlow(seconds, secondsLeft);
      let unclaimed = work;
      let unfinished = 0;
      let released = false;
      requests++;
      queued += work;

      const leaveIfDone = (): void => {
        if (!released || unfinished > 0) return;
        requests--;
        if (requests === 0) queued = 0; // beyond 2^53 sums are rounded
      };

      return {
        begin(own) {
          unclaimed -= own;
          unfinished++;
          let finished = false;
          return () => {
            if (finished) return;
            finished = true;
            queued -= own;
            unfinished--;
            leaveIfDone();
          };
        },
        release() {
          if (released) return;
          released = true;
          queued -= unclaimed;
          leaveIfDone();
        },
      };
    },
  };
}

// --- helpers ---

function queueFull(work: number, queued: number, max: number, seconds = 1): VerydeepError {
  const gigaflop = (flop: number): string => `${(flop / 1e9).toPrecision(3)} GFLOP`;
  return new VerydeepError(
    'QUEUE_FULL',
    `expected at most ${gigaflop(max)} of work in the queue, received ${gigaflop(work)} beside ${gigaflop(queued)}`,
    { retryAfterSeconds: Math.max(1, Math.ceil(seconds)) },
  );
}

function tooSlow(seconds: number, secondsLeft: number): VerydeepError {
  return new VerydeepError(
    'QUEUE_FULL',
    `expected a queue that is surely done in the ${secondsLeft.toFixed(1)} s that the request may take, it takes about ${seconds.toFixed(1)} s`,
    { retryAfterSeconds: Math.max(1, Math.ceil(seconds - secondsLeft / caution)) },
  );
}
