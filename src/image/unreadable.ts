import { isErrorOf, messageOf } from '../errors.ts';

/** Why one image cannot be read, as a message. Throws the error when it concerns more than that image. */
export function unreadableReason(error: unknown): string {
  const isOfFile = error instanceof Error && 'syscall' in error;
  if (!isErrorOf(error, 'image') && !isOfFile) throw error;
  return messageOf(error);
}
