import { isVerydeepError, VerydeepError } from '../../errors.ts';

/** A whole number of at least `least`. Throws INVALID_OPTION. */
export function integer(option: string, text: string, least: number): number {
  if (!/^\d{1,9}$/.test(text.trim()) || Number(text) < least) {
    throw wrongUse(option, `an integer of at least ${least}`, `"${text}"`);
  }
  return Number(text);
}

/** One of the words of `choices`. Throws INVALID_OPTION. */
export function oneOf<Choice extends string>(
  option: string,
  text: string,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((name) => name === text);
  if (choice === undefined) throw wrongUse(option, choices.join(', '), `"${text}"`);
  return choice;
}

/** For the caller to throw: wrong use, which ends with exit code 2. */
export function wrongUse(option: string, expected: string, received: string): VerydeepError {
  return new VerydeepError('INVALID_OPTION', `${option}: expected ${expected}; received ${received}`);
}

/** Options that `parseArgs` or a command does not accept. */
export function isWrongUse(error: unknown): error is Error {
  return (
    isVerydeepError(error, 'INVALID_OPTION') ||
    (error instanceof Error && 'code' in error && /^ERR_PARSE_ARGS/.test(String(error.code)))
  );
}
