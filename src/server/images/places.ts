import { VerydeepError } from '../../errors.ts';

/** A request that holds a place from its first byte to its answer. */
export interface Guest {
  /** IP address of its sender. */
  readonly address: string;
  /** Bytes received so far. */
  receivedBytes(): number;
  /** All of it is there. */
  isReceived(): boolean;
  /** Its place was given to somebody else. */
  evict(reason: VerydeepError): void;
}

export interface Places {
  /** Takes a place; returns the function that gives it back. Throws QUEUE_FULL if there is none. */
  enter(guest: Guest): () => void;
}

export interface PlacesOptions {
  /** Requests received or answered at once. Their bodies are in memory. */
  readonly maxRequests: number;
  /** In milliseconds. */
  readonly now: () => number;
}

/** A sender that is slower than this has to make room when all places are taken. */
const minBytesPerSecond = 10_000;

/** Every request has this time to show how fast it is, in milliseconds. */
const trialMs = 1000;

/**
 * Bounds the requests that are received or answered at once. Senders that trickle cannot shut others out: when all places are
 * taken the slowest of them loses its own, and so does the slowest of an address that has half of the places for such.
 */
export function createPlaces({ maxRequests, now }: PlacesOptions): Places {
  const guests = new Map<Guest, { readonly sinceMs: number }>();

  const bytesPerSecond = (guest: Guest): number =>
    (1000 * guest.receivedBytes()) / Math.max(1, now() - guests.get(guest)!.sinceMs);

  const slowGuests = (): Guest[] =>
    [...guests].flatMap(([guest, { sinceMs }]) => {
      const isSlow = now() - sinceMs >= trialMs && bytesPerSecond(guest) < minBytesPerSecond;
      return isSlow && !guest.isReceived() ? [guest] : [];
    });

  function evictSlowest(slow: readonly Guest[]): boolean {
    const [slowest] = [...slow].sort((a, b) => bytesPerSecond(a) - bytesPerSecond(b));
    if (slowest === undefined) return false;
    const received = Math.round(bytesPerSecond(slowest));
    guests.delete(slowest);
    const message = `expected at least ${minBytesPerSecond} bytes a second while other requests wait; received ${received}`;
    slowest.evict(new VerydeepError('REQUEST_TIMEOUT', message));
    return true;
  }

  return {
    enter(guest) {
      const slow = slowGuests();
      const own = slow.filter(({ address }) => address === guest.address);
      if (own.length >= Math.max(1, maxRequests / 2)) evictSlowest(own);
      if (guests.size >= maxRequests && !evictSlowest(slow)) {
        const message = `expected at most ${maxRequests} requests at once; received one more`;
        throw new VerydeepError('QUEUE_FULL', message, { retryAfterSeconds: 1 });
      }
      guests.set(guest, { sinceMs: now() });
      return () => void guests.delete(guest);
    },
  };
}
