import { isVerydeepError, VerydeepError } from '../errors.ts';

/** For the caller to throw: `NAME: expected ...; received ...`. */
export function invalidOption(name: string, expected: string, received: string | number): VerydeepError {
  return new VerydeepError('INVALID_OPTION', `${name}: expected ${expected}; received ${received}`);
}

/** Whether options were refused, by a command or by `parseArgs`. */
export function isWrongUse(error: unknown): error is Error {
  return (
    isVerydeepError(error, 'INVALID_OPTION') ||
    (error instanceof Error && 'code' in error && /^ERR_PARSE_ARGS/.test(String(error.code)))
  );
}
