import { maxHeaderSize } from 'node:http';
import type { Socket } from 'node:net';
import { VerydeepError } from '../errors.ts';
import { failureBody } from './errors.ts';

/** Answers what is not HTTP, or not all of it in time, in the shape of all other errors. The connection ends with it. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const { statusCode, code, message } = codedError(error);
  const failure = failureBody(statusCode, code, message);
  const body = JSON.stringify(failure);
  if (socket.writable) {
    socket.write(
      [
        `HTTP/1.1 ${statusCode} ${failure.error}`,
        'content-type: application/json; charset=utf-8',
        `content-length: ${Buffer.byteLength(body)}`,
        'connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  }
  socket.destroy();
}

// --- helpers ---

function codedError({ code, message }: Error & { code?: string }): VerydeepError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new VerydeepError(
        'HEADERS_TOO_LARGE',
        `headers: expected at most ${maxHeaderSize} bytes; received more`,
      );
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new VerydeepError('REQUEST_TIMEOUT', 'expected a whole request in time; received a part of it');
    default:
      return new VerydeepError(
        'MALFORMED_REQUEST',
        `expected a request of HTTP/1.1; received something else: ${message}`,
      );
  }
}
