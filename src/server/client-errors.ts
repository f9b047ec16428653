import { type IncomingMessage, maxHeaderSize, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ErrorCode, VerydeepError } from '../errors.ts';
import { failureOf, ownEnvelope, statusText } from './failures.ts';

/** What a refused client still sends is read and dropped for so long: data unread would reset the connection. */
const lingerMs = 1000;

/** Handles what Node's server would refuse by itself, without a body and uncounted. */
export interface ClientErrors {
  /** Answers what is not HTTP, or not all of it in time, in the shape of all other errors; the connection ends with it. */
  readonly handle: (error: Error & { code?: string }, socket: Duplex) => void;
  /** To be called once, with the server whose errors these are. */
  watch(server: Server): void;
}

export function createClientErrors(onRejected: (code: ErrorCode) => void): ClientErrors {
  /** The latest of each connection. */
  const responses = new WeakMap<Duplex, ServerResponse>();
  return {
    handle(error, socket) {
      if (socket.destroyed || socket.writableEnded) return;
      const coded = codedError(error);
      const response = responses.get(socket);
      const isBegun = response?.headersSent === true;
      // Nobody is there, or the broken rest of a request that has its answer.
      if (coded === undefined || (isBegun && !response.req.complete)) return void socket.destroy();
      onRejected(coded.code);
      if (isBegun && !response.writableFinished)
        socket.destroy(); // in the middle of another answer
      else refuseOnSocket(socket, coded);
    },
    watch(server) {
      const proceed = (request: IncomingMessage, response: ServerResponse): void => {
        responses.set(request.socket, response);
      };
      server.prependListener('request', proceed);
      // An expectation that nobody knows may be ignored (RFC 9110, 10.1.1).
      server.on('checkExpectation', (request, response) => server.emit('request', request, response));
      server.on('connect', ({ url }, socket) => {
        const message = `expected a request to this service; received CONNECT ${url}, which is for a proxy`;
        onRejected('MALFORMED_REQUEST');
        refuseOnSocket(socket, new VerydeepError('MALFORMED_REQUEST', message));
      });
    },
  };
}

/** Writes a refusal to a connection for which there is no `ServerResponse`, and ends it. */
export function refuseOnSocket(socket: Duplex, error: VerydeepError, more: readonly string[] = []): void {
  const failure = failureOf(error);
  const body = JSON.stringify(ownEnvelope(failure));
  const head = [
    `HTTP/1.1 ${failure.status} ${statusText(failure.status)}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...more,
  ];
  socket.on('error', () => {}); // it may break before all is written
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.removeAllListeners('data');
  socket.on('data', () => {});
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
}

// --- helpers ---

/** `undefined` when the connection broke. */
function codedError({ code = '', message }: Error & { code?: string }): VerydeepError | undefined {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new VerydeepError(
        'HEADERS_TOO_LARGE',
        `headers: expected at most ${maxHeaderSize} bytes; received more`,
      );
    case 'HPE_INVALID_EOF_STATE':
      return new VerydeepError('MALFORMED_REQUEST', 'expected a whole request; received a part of it');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new VerydeepError('REQUEST_TIMEOUT', 'expected a whole request in time; received a part of it');
    default:
      return code.startsWith('HPE_')
        ? new VerydeepError(
            'MALFORMED_REQUEST',
            `expected a request of HTTP/1.1; received something else: ${message}`,
          )
        : undefined;
  }
}
