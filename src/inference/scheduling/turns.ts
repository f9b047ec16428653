/**
 * In which order clients are served so that each has an equal share of the work, however many requests it has waiting
 * (start-time fair queueing; Goyal, Vin, Cheng 1996). Turns are work: a client's next turn comes when all before
 * it have had as much.
 */
export interface Turns {
  /** The turn of a client's next item; lower ones come first. Of one client they rise. */
  next(client: string, work: number): number;
  /** An item with this turn is served now: who comes anew is not owed what others had before. */
  reached(turn: number): void;
  /** Nobody waits. */
  reset(): void;
}

export function createTurns(): Turns {
  /** Where each client's latest item ends, if that is still to come: connections come and go without number. */
  const ends = new Map<string, number>();
  let now = 0;
  return {
    next(client, work) {
      const turn = Math.max(now, ends.get(client) ?? 0);
      ends.set(client, turn + work);
      return turn;
    },
    reached(turn) {
      now = Math.max(now, turn);
      for (const [client, end] of ends) if (end <= now) ends.delete(client);
    },
    reset() {
      ends.clear();
      now = 0;
    },
  };
}
