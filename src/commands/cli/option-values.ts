import { VerydeepError } from '../../errors.ts';

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
