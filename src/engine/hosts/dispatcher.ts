import { VerydeepError } from '../../errors.ts';

/** A host as the dispatcher sees it. */
export interface Lane {
  /** Takes traffic now. */
  isReady(): boolean;
  /** Batches sent and not answered; only the dispatcher writes it. */
  inFlight: number;
}

/** Gives each batch the least loaded ready host; batches that find none wait in order of arrival. */
export interface Dispatcher<L extends Lane> {
  /** Fulfilled with a lane that is the caller's until `leave`. Rejects with ENGINE_LOST. */
  enter(): Promise<L>;
  leave(lane: L): void;
  /** To be called when a lane has become ready or has ceased to be. */
  update(): void;
  /** Nobody waits or enters any more. */
  close(): void;
}

/** One batch runs, one is there already when it is done; others wait here, where any host can take them. */
const maxInFlight = 2;

/** With no ready lane for `recoveryTimeoutMs`, all who wait are refused, and so is whoever comes, until one is ready. */
export function createDispatcher<L extends Lane>(
  lanes: readonly L[],
  recoveryTimeoutMs: number,
): Dispatcher<L> {
  const waiters: { resolve(lane: L): void; reject(error: VerydeepError): void }[] = [];
  let outage: NodeJS.Timeout | undefined;
  let refusal: string | undefined;

  const dispatch = (): void => {
    while (waiters.length > 0) {
      const lane = leastLoaded(lanes);
      if (lane === undefined) return;
      lane.inFlight++;
      waiters.shift()!.resolve(lane);
    }
  };

  const refuse = (reason: string): void => {
    refusal = reason;
    for (const { reject } of waiters.splice(0)) reject(lost(reason));
  };

  return {
    enter: () =>
      new Promise((resolve, reject) => {
        if (refusal !== undefined) return reject(lost(refusal));
        waiters.push({ resolve, reject });
        dispatch();
      }),
    leave(lane) {
      lane.inFlight--;
      dispatch();
    },
    update() {
      if (lanes.some((lane) => lane.isReady())) {
        clearTimeout(outage);
        outage = undefined;
        refusal = undefined;
        dispatch();
      } else {
        outage ??= setTimeout(() => refuse('all engine hosts are down'), recoveryTimeoutMs);
      }
    },
    close() {
      clearTimeout(outage);
      refuse('the engine is shut down');
    },
  };
}

// --- helpers ---

function leastLoaded<L extends Lane>(lanes: readonly L[]): L | undefined {
  return lanes
    .filter((lane) => lane.isReady() && lane.inFlight < maxInFlight)
    .reduce<L | undefined>((best, lane) => (best && best.inFlight <= lane.inFlight ? best : lane), undefined);
}

function lost(reason: string): VerydeepError {
  return new VerydeepError('ENGINE_LOST', reason, { retryAfterSeconds: 5 });
}
