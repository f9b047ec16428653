import { VerydeepError } from '../errors.ts';
import type { QueueState } from './inference.ts';
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
  /** Throws QUEUE_FULL. */
  admit(work: number): Claim;
  queue(): QueueState;
}

/** A request with more than `maxWork` is admitted where there is no other. */
export function createAdmission(maxWork: number, throughput: Throughput): Admission {
  let queued = 0;
  let requests = 0;

  return {
    queue: () => ({ requests, work: queued, maxWork }),
    admit(work) {
      if (requests > 0 && queued + work > maxWork) {
        throw queueFull(work, queued, maxWork, throughput.secondsFor(queued + work - maxWork));
      }
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
