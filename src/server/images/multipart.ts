import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { isVerydeepError, messageOf, VerydeepError } from '../../errors.ts';
import { noImage } from './bodies.ts';

export interface FileLimits {
  readonly maxFileBytes: number;
  readonly maxFiles: number;
}

/** A file of a request as it arrives. */
export interface ReceivedFile {
  readonly name: string;
  /** `undefined` where it was larger than allowed; its bytes were read and dropped. */
  readonly bytes: Buffer | undefined;
}

/**
 * The files of a multipart request, in their order. The next one is read only when it is asked for, so that the
 * sender waits, not memory. Throws TOO_MANY_FILES, NO_IMAGE, INVALID_OPTION (a field that is no file) and
 * MALFORMED_REQUEST.
 */
export async function* receiveFiles(
  request: FastifyRequest,
  { maxFileBytes, maxFiles }: FileLimits,
): AsyncGenerator<ReceivedFile> {
  // One file more than allowed is let through to be counted.
  const limits = { fileSize: maxFileBytes, files: maxFiles + 1, fields: 1 };
  const parts = request.parts({ limits });
  let count = 0;
  try {
    for await (const part of parts) {
      if (part.type === 'field') throw unexpectedField(part.fieldname);
      if (++count > maxFiles) {
        throw new VerydeepError(
          'TOO_MANY_FILES',
          `expected at most ${maxFiles} files in a request; received more`,
        );
      }
      yield await readFile(part);
    }
  } catch (error) {
    if (isVerydeepError(error)) throw error;
    throw new VerydeepError('MALFORMED_REQUEST', `multipart/form-data cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    // What was not read is dropped: while it waits for a reader, the sender would never see the answer.
    request.raw.unpipe();
    request.raw.resume();
  }
  if (count === 0) throw noImage('received no file');
}

// --- helpers ---

async function readFile({ file, filename, fieldname }: MultipartFile): Promise<ReceivedFile> {
  const name = filename || fieldname;
  const chunks: Buffer[] = [];
  for await (const chunk of file) {
    if (file.truncated) chunks.length = 0;
    else chunks.push(chunk as Buffer);
  }
  return { name, bytes: file.truncated ? undefined : Buffer.concat(chunks) };
}

function unexpectedField(name: string): VerydeepError {
  return new VerydeepError(
    'INVALID_OPTION',
    `expected files only; received the field "${name}". Options go into the query, for instance: /classify?top=3`,
  );
}
