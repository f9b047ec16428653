import { VerydeepError } from '../errors.ts';

/** Slows those who guess tokens: wrong ones of an address are answered one after the other, each after a delay. */
export interface TokenAttempts {
  /** To be called before a token is compared. Throws TOO_MANY_ATTEMPTS while too many answers of the address wait. */
  admit(address: string): void;
  /** Fulfilled when the answer to a wrong token may be sent. */
  failed(address: string): Promise<void>;
}

export interface TokenAttemptsOptions {
  /** Between two answers to wrong tokens of one address. */
  readonly delayMs: number;
  /** Answers of one address that wait. */
  readonly maxWaiting: number;
  /** Addresses that are told apart at once; all others share one place. */
  readonly maxAddresses: number;
}

export function createTokenAttempts({
  delayMs,
  maxWaiting,
  maxAddresses,
}: TokenAttemptsOptions): TokenAttempts {
  /** Only of addresses with answers that wait. */
  const waiting = new Map<string, { count: number; turn: Promise<unknown> }>();
  const keyOf = (address: string): string =>
    waiting.has(address) || waiting.size < maxAddresses ? address : 'others';

  return {
    admit(address) {
      const { count } = waiting.get(keyOf(address)) ?? { count: 0 };
      if (count < maxWaiting) return;
      const message = `expected at most ${maxWaiting} wrong tokens at once from an address; received more`;
      const retryAfterSeconds = (maxWaiting * delayMs) / 1000;
      throw new VerydeepError('TOO_MANY_ATTEMPTS', message, { retryAfterSeconds });
    },
    async failed(address) {
      const key = keyOf(address);
      const own = waiting.get(key) ?? { count: 0, turn: Promise.resolve() };
      waiting.set(key, own);
      own.count += 1;
      own.turn = own.turn.then(() => new Promise((resolve) => setTimeout(resolve, delayMs)));
      await own.turn;
      own.count -= 1;
      if (own.count === 0) waiting.delete(key);
    },
  };
}
