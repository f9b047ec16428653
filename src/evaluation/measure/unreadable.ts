import { isErrorOf, messageOf } from '../../errors.ts';

/** Why one image cannot be read. Throws whatever concerns the whole evaluation. */
export function reasonOf(error: unknown): string {
  const isOfFile = error instanceof Error && 'syscall' in error;
  if (!isErrorOf(error, 'image') && !isOfFile) throw error;
  return messageOf(error);
}
