import { setMaxListeners } from 'node:events';
import { VerydeepError } from '../errors.ts';
import type { RequestContext } from './inference.ts';

/** How long somebody waits for a request's answer. */
export interface Lifetime {
  /** Aborted with a coded error as its reason: REQUEST_CANCELLED, DEADLINE_EXCEEDED, or what `end` was given. */
  readonly signal: AbortSignal;
  /** Nothing of the request is needed any more; must be called, or its timer stays. */
  end(reason?: unknown): void;
}

/** The context of a caller that waits as long as it takes, or until `signal` is aborted. */
export function untimed(client: string, signal: AbortSignal = new AbortController().signal): RequestContext {
  return { client, signal, deadline: Number.POSITIVE_INFINITY };
}

/** Longest delay that `setTimeout` takes. */
const maxDelayMs = 2 ** 31 - 1;

/** Joins the caller's signal and its deadline. */
export function createLifetime({ signal, deadline }: Pick<RequestContext, 'signal' | 'deadline'>): Lifetime {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // each of a request's items listens
  const end = (reason?: unknown): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
    controller.abort(reason ?? new VerydeepError('REQUEST_CANCELLED', 'the request has ended'));
  };
  const cancel = (): void =>
    end(new VerydeepError('REQUEST_CANCELLED', 'nobody waits for the answer any more'));
  const expire = (): void => {
    end(
      new VerydeepError(
        'DEADLINE_EXCEEDED',
        'the answer was not ready before its deadline; try a longer timeoutMs',
      ),
    );
  };
  const leftMs = deadline - performance.now();
  const timer = leftMs <= maxDelayMs ? setTimeout(expire, Math.max(0, leftMs)) : undefined;
  signal.addEventListener('abort', cancel);
  if (signal.aborted) cancel();
  else if (leftMs <= 0) expire();
  return { signal: controller.signal, end };
}

/**
 * Runs `work` with a signal that ends with its context, and with `work` itself: what it has left in the scheduler when it
 * fails is dropped.
 */
export async function withLifetime<T>(
  context: Pick<RequestContext, 'signal' | 'deadline'>,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lifetime = createLifetime(context);
  try {
    return await work(lifetime.signal);
  } catch (error) {
    lifetime.end(error);
    throw error;
  } finally {
    lifetime.end();
  }
}

/** `promise`, or the signal's reason as soon as it is aborted. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
