import { VerydeepError } from '../errors.ts';

/** What refuses a job before it waits, or when it finds that something has gone since. */
export function invalidJob(message: string): VerydeepError {
  return new VerydeepError('INVALID_JOB', message);
}
