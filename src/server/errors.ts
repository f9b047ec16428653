import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, isVerydeepError, messageOf, VerydeepError } from '../errors.ts';
import { type Envelope, failureOf, ownEnvelope } from './failures.ts';

/** The coded error that one of Fastify's or of a parser stands for; `undefined` when it stands for none. */
export type Translate = (error: FastifyError, request: FastifyRequest) => VerydeepError | undefined;

export interface ErrorAnswers {
  /** Gets the code of every request that is refused. */
  readonly onRejected: (code: ErrorCode) => void;
  /** Of errors that mean something special here; every other fault of a request is MALFORMED_REQUEST. */
  readonly translate?: Translate;
  /** Makes the bodies; the service's own when omitted. */
  readonly envelope?: Envelope;
}

/** Methods of any route. */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'];

/**
 * Answers the errors of an app or of an encapsulated plugin. A plugin with a prefix answers for all paths under it, those
 * without a route too.
 */
export function answerErrors(app: FastifyInstance, answers: ErrorAnswers): void {
  app.setErrorHandler(createErrorHandler(answers));
  // `refuseUnknownRoutes` comes first: what counts is whose handler of errors they have.
  if (app.prefix !== '') app.setNotFoundHandler(() => {});
}

/** Makes a handler of errors. */
export function createErrorHandler({ onRejected, translate, envelope = ownEnvelope }: ErrorAnswers) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const coded = codedError(error, request, translate);
    const failure = failureOf(coded);
    if (!hasLeft(request)) onRejected(failure.code);
    if (failure.status === 500) request.log.error({ err: error }, messageOf(coded));
    else request.log.info({ code: failure.code }, messageOf(coded));
    // The rest of a body that was refused is read and dropped, within the server's time for a request. Closing with
    // data unread would reset the connection, and most clients would never see the reason.
    reply.removeHeader('connection');
    return reply.code(failure.status).headers(failure.headers).send(envelope(failure));
  };
}

/**
 * A hook `onRequest` that refuses what has no route before anything of its body is read: 405 when the path has one for other
 * methods, else 404.
 */
export async function refuseUnknownRoutes(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (!request.is404) return;
  const { method, server } = request;
  const path = request.url.split('?')[0]!;
  const allowed = methods.filter((other) => server.findRoute({ method: other, url: path }) !== null);
  if (allowed.length > 0) {
    reply.header('allow', allowed.join(', '));
    throw new VerydeepError('METHOD_NOT_ALLOWED', `${method} ${path}: expected ${allowed.join(' or ')}`);
  }
  throw new VerydeepError(
    'NOT_FOUND',
    `${method} ${path}: no such route; expected POST or PUT /classify or /localise, or GET /stream, /model, /livez, /readyz, /metrics or /openapi.json, or those under /admin/jobs`,
  );
}

// --- helpers ---

function codedError(error: FastifyError, request: FastifyRequest, translate?: Translate): unknown {
  if (hasLeft(request)) {
    return new VerydeepError('REQUEST_CANCELLED', 'the client has closed the connection', { cause: error });
  }
  if (isVerydeepError(error)) return error;
  const translated = translate?.(error, request);
  if (translated) return translated;
  const { code, statusCode = 500 } = error;
  if (code === 'FST_ERR_BAD_URL')
    return new VerydeepError(
      'MALFORMED_REQUEST',
      `path: expected percent-encoded UTF-8; received ${request.url}`,
    );
  if (statusCode < 400 || statusCode >= 500) return error;
  return new VerydeepError('MALFORMED_REQUEST', messageOf(error), { cause: error });
}

/** A client that goes away before its request is there is refused nothing; what is cut off has been counted (client-errors.ts). */
function hasLeft({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete;
}
