import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { type ErrorCode, errorEntry, errorTable, VerydeepError } from '../errors.ts';

/** Fastify's own shape of an error. */
export interface FailureBody {
  readonly statusCode: number;
  readonly code: string;
  readonly error: string;
  readonly message: string;
}

/** Methods of any route. */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'];

const internal = { code: 'INTERNAL', message: errorTable.INTERNAL.words } as const;

/** Code and message as users see them; anything that is not a coded error of theirs is INTERNAL. */
export function publicError(error: unknown): { code: ErrorCode; message: string } {
  if (!(error instanceof VerydeepError)) return internal;
  if (error.statusCode < 500) return { code: error.code, message: error.message };
  const { words } = errorEntry(error.code);
  return words === undefined ? internal : { code: error.code, message: words };
}

export function failureBody(statusCode: number, code: string, message: string): FailureBody {
  return { statusCode, code, error: STATUS_CODES[statusCode] ?? 'Client Closed Request', message };
}

/** The coded error that one of Fastify's own stands for; `undefined` where it stands for none. */
export type Translate = (error: FastifyError, request: FastifyRequest) => VerydeepError | undefined;

/** Makes an error handler; `onRejected` gets the code of every error that is answered. */
export function createErrorHandler(translate: Translate, onRejected: (code: ErrorCode) => void) {
  return (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const coded = error instanceof VerydeepError ? error : translate(error as FastifyError, request);
    if (coded === undefined) return sendForeign(error, request, reply, onRejected);
    const { code, message } = publicError(coded);
    onRejected(code);
    const statusCode = code === 'INTERNAL' ? errorTable.INTERNAL.status : coded.statusCode;
    if (statusCode === 500) request.log.error({ err: error }, coded.message);
    else request.log.info({ code }, coded.message);
    if (statusCode === 429 || statusCode === 503) {
      reply.header('retry-after', Math.max(1, Math.ceil(coded.retryAfterSeconds ?? 1)));
    }
    // The rest of a body that was refused is read and dropped, within the server's time for a request. Closing with
    // data unread would reset the connection, and most clients would never see the reason.
    reply.removeHeader('connection');
    return reply.code(statusCode).send(failureBody(statusCode, code, message));
  };
}

/** Of routes that take images. */
export function imageErrors(maxFileBytes: number): Translate {
  return ({ code }, request) => {
    switch (code) {
      case 'FST_ERR_CTP_BODY_TOO_LARGE':
        return new VerydeepError(
          'FILE_TOO_LARGE',
          `file: expected at most ${maxFileBytes} bytes; received ${request.headers['content-length'] ?? 'more'}`,
        );
      case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
        return new VerydeepError('UNSUPPORTED_IMAGE', unsupportedType(request));
      default:
        return undefined;
    }
  };
}

/** Of paths that cannot be read. */
export const pathErrors: Translate = ({ code }, { url }) =>
  code === 'FST_ERR_BAD_URL'
    ? new VerydeepError('MALFORMED_REQUEST', `path: expected percent-encoded UTF-8; received ${url}`)
    : undefined;

/** 405 where the path has a route for other methods, else 404. */
export function sendNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { method, server } = request;
  const path = request.url.split('?')[0]!;
  const allowed = methods.filter((other) => server.findRoute({ method: other, url: path }) !== null);
  if (allowed.length > 0) {
    const message = `${method} ${path}: expected ${allowed.join(' or ')}`;
    return reply
      .code(405)
      .header('allow', allowed.join(', '))
      .send(failureBody(405, 'METHOD_NOT_ALLOWED', message));
  }
  const message = `${method} ${path}: no such route; expected POST or PUT /classify or /localise, or GET /stream, /livez, /readyz, /metrics or /openapi.json, or those under /admin/jobs`;
  return reply.code(404).send(failureBody(404, 'NOT_FOUND', message));
}

// --- helpers ---

export function unsupportedType(request: FastifyRequest): string {
  return `Content-Type: expected image/*, application/octet-stream, none, or multipart/form-data with files; received ${request.headers['content-type']}. Send the bytes of one file, for instance: curl -T photo.jpg`;
}

function sendForeign(
  error: Error,
  request: FastifyRequest,
  reply: FastifyReply,
  onRejected: (code: ErrorCode) => void,
): FastifyReply {
  const { statusCode = 500, code = 'INTERNAL' } = error as FastifyError;
  if (statusCode < 400 || statusCode >= 500 || hasZodFastifySchemaValidationErrors(error)) {
    request.log.error({ err: error }, error.message);
    onRejected(internal.code);
    return reply.code(500).send(failureBody(500, internal.code, internal.message));
  }
  onRejected('MALFORMED_REQUEST');
  return reply.code(statusCode).send(failureBody(statusCode, code, error.message));
}
