import { VerydeepError } from '../errors.ts';

/** For the caller to throw: `NAME: expected ...; received ...`. */
export function invalidOption(name: string, expected: string, received: string | number): VerydeepError {
  return new VerydeepError('INVALID_OPTION', `${name}: expected ${expected}; received ${received}`);
}
