import { messageOf, VerydeepError } from '../../errors.ts';

const codes = [
  'NO_IMAGE',
  'FILE_TOO_LARGE',
  'TOO_MANY_PIXELS',
  'IMAGE_TOO_COMPLEX',
  'UNSUPPORTED_IMAGE',
  'CORRUPT_IMAGE',
];

/** Why one image cannot be read. Throws whatever concerns the whole evaluation. */
export function reasonOf(error: unknown): string {
  const isOfImage = error instanceof VerydeepError && codes.includes(error.code);
  const isOfFile = error instanceof Error && 'syscall' in error;
  if (!isOfImage && !isOfFile) throw error;
  return messageOf(error);
}
