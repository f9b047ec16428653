import { VerydeepError } from '../../errors.ts';
import type { Throughput } from './throughput.ts';

/** What a request asks for. Work is in floating-point operations of its forward passes. */
export interface AdmissionRequest {
  readonly work: number;
  /** `performance.now()` by which all of it must be done; `Infinity` for none. */
  readonly deadline: number;
}

/** A request's place in the books. */
export interface Reservation {
  /** An item with part of the reserved work begins. Returns what must be called when the engine has done with it. */
  begin(work: number): () => void;
  /** Gives back what no item has begun with; nothing begins afterwards. */
  release(): void;
}

/** Units of work are floating-point operations of the forward passes. */
export interface QueueState {
  readonly requests: number;
  readonly work: number;
  readonly maxWork: number;
}

/** The books of the queue: work that was admitted and is not done. */
export interface Admission {
  /** Throws QUEUE_FULL if there is no room, or if all that was admitted cannot be done by the deadline. */
  admit(request: AdmissionRequest): Reservation;
  queue(): QueueState;
}

/** The rate varies, and batches overtake each other: a request is refused if it would be late at half of the rate. */
const caution = 2;

/**
 * A request with more than `maxWork` is admitted if there is no other. Batches are made across requests, so under overload
 * all of them end late: without a look at the deadline each would be computed, and none answered in time.
 */
export function createAdmission(maxWork: number, throughput: Throughput): Admission {
  let queued = 0;
  let requests = 0;

  function check({ work, deadline }: AdmissionRequest): void {
    if (requests === 0) return;
    if (queued + work > maxWork) {
      throw queueFull(work, queued, maxWork, throughput.secondsFor(queued + work - maxWork));
    }
    const seconds = throughput.isSettled() ? (throughput.secondsFor(queued + work) ?? 0) : 0;
    const secondsLeft = (deadline - performance.now()) / 1000;
    if (caution * seconds > secondsLeft) throw tooSlow(seconds, secondsLeft);
  }

  function reserve(work: number): Reservation {
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
  }

  return {
    queue: () => ({ requests, work: queued, maxWork }),
    admit(request) {
      check(request);
      return reserve(request.work);
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
