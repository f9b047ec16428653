import { VerydeepError } from '../errors.ts';

/** An ensemble as people name it: `mine@3`, or `mine` for its stable version. Throws INVALID_WEIGHTS. */
export function parseReference(reference: string): { readonly name: string; readonly version: string } {
  const [name, version = 'stable', ...rest] = reference.split('@') as [string, string?, ...string[]];
  if (rest.length > 0) {
    throw new VerydeepError('INVALID_WEIGHTS', `expected NAME@VERSION, received "${reference}"`);
  }
  return { name, version };
}
