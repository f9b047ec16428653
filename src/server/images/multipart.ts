import { on } from 'node:events';
import type { Readable } from 'node:stream';
import busboy, { type FileInfo } from 'busboy';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isVerydeepError, messageOf, VerydeepError } from '../../errors.ts';
import { noImage } from './bodies.ts';

export interface FileLimits {
  readonly maxFileBytes: number;
  readonly maxFiles: number;
}

/** A file of a request as it arrives. */
export interface ReceivedFile {
  readonly name: string;
  /** `undefined` if it was larger than allowed; its bytes were read and dropped. */
  readonly bytes: Buffer | undefined;
}

/** Leaves the bodies of forms to {@link receiveFiles}. */
export function acceptForms(app: FastifyInstance): void {
  app.addContentTypeParser('multipart/form-data', async () => undefined);
}

export function isForm({ headers }: FastifyRequest): boolean {
  return /^\s*multipart\/form-data\s*(;|$)/i.test(headers['content-type'] ?? '');
}

/**
 * The files of a form, in their order. The next one is read only when it is asked for, so that the sender waits, not
 * memory. Throws TOO_MANY_FILES, NO_IMAGE, INVALID_OPTION (a field that is no file), MALFORMED_REQUEST, and the signal's
 * reason as soon as it is aborted, whatever the parser does.
 */
export async function* receiveFiles(
  { raw, headers }: FastifyRequest,
  { maxFileBytes, maxFiles }: FileLimits,
  signal: AbortSignal,
): AsyncGenerator<ReceivedFile> {
  if (headers['content-length'] === '0') throw noImage('received no file');
  let count = 0;
  try {
    // One file and one field more than allowed are let through to be counted.
    const limits = { fileSize: maxFileBytes, files: maxFiles + 1, fields: 1, fieldSize: 0, headerPairs: 100 };
    const parser = busboy({ headers, limits, defParamCharset: 'utf8' });
    // It may go on after an error, but gets no more bytes then: a file that is being read would never end.
    parser.on('error', (error: Error) => parser.destroy(error));
    parser.on('file', (_name, file) => {
      file.on('error', () => undefined); // of files that nobody reads: unheard, it would end the process
      // A parser that is destroyed goes on in the chunk that it has, and begins files that nobody would end.
      if (parser.destroyed) file.destroy(parser.errored ?? undefined);
    });
    parser.once('field', (name) => parser.destroy(unexpectedField(name)));
    const stop = (): void => {
      if (!raw.complete) parser.destroy(new Error('it breaks off'));
    };
    raw.once('close', stop);
    const files = on(parser, 'file', { close: ['close'], signal });
    raw.pipe(parser);
    for await (const [field, stream, info] of files as AsyncIterable<[string, Readable, FileInfo]>) {
      if (++count > maxFiles) {
        const message = `expected at most ${maxFiles} files in a request; received more`;
        throw new VerydeepError('TOO_MANY_FILES', message);
      }
      yield { name: info.filename || field, bytes: await bytesOf(stream, signal) };
    }
  } catch (error) {
    signal.throwIfAborted();
    if (isVerydeepError(error)) throw error;
    throw new VerydeepError('MALFORMED_REQUEST', `multipart/form-data cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    // What was not read is dropped: while it waits for a reader, the sender would never see the answer.
    raw.unpipe();
    raw.resume();
  }
  if (count === 0) throw noImage('received no file');
}

// --- helpers ---

async function bytesOf(
  file: Readable & { truncated?: boolean },
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  const abort = (): void => void file.destroy(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    for await (const chunk of file) {
      if (file.truncated) chunks.length = 0;
      else chunks.push(chunk as Buffer);
    }
  } finally {
    signal.removeEventListener('abort', abort);
  }
  return file.truncated ? undefined : Buffer.concat(chunks);
}

function unexpectedField(name: string): VerydeepError {
  return new VerydeepError(
    'INVALID_OPTION',
    `expected files only; received the field "${name}". Options go into the query, for instance: /classify?top=3`,
  );
}
