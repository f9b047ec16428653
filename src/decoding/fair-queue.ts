/** Places that clients take in turns: who waits for many does not hold up who waits for one. */
export interface FairQueue<Place> {
  /** Resolves with a place when it is the client's turn. Rejects with the signal's reason if it is aborted before that. */
  acquire(client: string, signal: AbortSignal): Promise<Place>;
  /** Gives a place, perhaps another one than was taken, to whose turn it is. */
  release(place: Place): void;
  /** How many wait. */
  waiting(): number;
}

/** A client's requests are served in order of arrival, and clients one after the other. */
export function createFairQueue<Place>(places: readonly Place[]): FairQueue<Place> {
  const free = [...places];
  /** In the order of turns; no client has an empty list. */
  const lines = new Map<string, Set<(place: Place) => void>>();

  function leave(client: string, waiter: (place: Place) => void): void {
    const line = lines.get(client);
    line?.delete(waiter);
    if (line?.size === 0) lines.delete(client);
  }

  return {
    acquire: (client, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const place = free.pop();
        if (place !== undefined) return resolve(place);
        const waiter = (given: Place): void => {
          signal.removeEventListener('abort', abort);
          resolve(given);
        };
        const abort = (): void => {
          leave(client, waiter);
          reject(signal.reason);
        };
        signal.addEventListener('abort', abort, { once: true });
        const line = lines.get(client) ?? new Set();
        line.add(waiter);
        lines.set(client, line);
      }),
    release(place) {
      const [next] = lines;
      if (next === undefined) {
        free.push(place);
        return;
      }
      const [client, line] = next;
      const [waiter] = line;
      lines.delete(client); // to the end of the turns, if more of it wait
      line.delete(waiter!);
      if (line.size > 0) lines.set(client, line);
      waiter!(place);
    },
    waiting: () => [...lines.values()].reduce((sum, line) => sum + line.size, 0),
  };
}
