/** Lets a bounded number of tasks run at a time; the others wait in order of arrival. */
export interface Limiter {
  /** Runs `task` when its turn comes. Rejects with the signal's reason if it is aborted before that. */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createLimiter(concurrency: number): Limiter {
  const waiting = new Set<() => void>();
  let running = 0;

  const turn = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const start = (): void => {
        running++;
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        waiting.delete(start);
        reject(signal.reason);
      };
      if (signal.aborted) return abort();
      if (running < concurrency) return start();
      waiting.add(start);
      signal.addEventListener('abort', abort, { once: true });
    });

  return {
    async run(task, signal) {
      await turn(signal);
      try {
        return await task();
      } finally {
        running--;
        const [next] = waiting;
        if (next) {
          waiting.delete(next);
          next();
        }
      }
    },
  };
}
