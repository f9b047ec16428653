import type { FastifyInstance, FastifyRequest } from 'fastify';
import { messageOf, VerydeepError } from '../../errors.ts';
import type { Translate } from '../errors.ts';

/** A job is a few lines. */
const maxBodyBytes = 65_536;

/** Of objects and lists in one another: a request has its settings, and these have ranges. */
const maxDepth = 8;

/** Takes JSON. An empty body is none, whatever its type. */
export function acceptJobBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  const options = { parseAs: 'string', bodyLimit: maxBodyBytes } as const;
  app.addContentTypeParser('application/json', options, (request: FastifyRequest, body: string, done) => {
    if (body === '') return done(null, undefined);
    void parse(request, body, (error, value) => {
      const reason = error ? undefined : whyNotKept(value, maxDepth);
      done(
        reason === undefined ? error : new VerydeepError('INVALID_JOB', `body: expected ${reason}`),
        value,
      );
    });
  });
  app.addContentTypeParser('*', options, async (request: FastifyRequest, body: string) => {
    if (body === '') return undefined;
    throw unsupportedType(request);
  });
}

/** Errors of reading such a body. */
export const jobErrors: Translate = (error, request) => {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const received = request.headers['content-length'] ?? 'more';
    return new VerydeepError(
      'INVALID_JOB',
      `body: expected at most ${maxBodyBytes} bytes; received ${received}`,
    );
  }
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return unsupportedType(request);
  const isSyntax = error instanceof SyntaxError || error.code === 'FST_ERR_CTP_INVALID_JSON_BODY';
  return isSyntax
    ? new VerydeepError('INVALID_JOB', `body: expected JSON; received something else: ${messageOf(error)}`)
    : undefined;
};

// --- helpers ---

function unsupportedType({ headers }: FastifyRequest): VerydeepError {
  return new VerydeepError(
    'INVALID_JOB',
    `Content-Type: expected application/json; received ${headers['content-type'] ?? 'none'}. For instance: curl --json '{"type":"train",...}'`,
  );
}

/** What a body of JSON cannot be kept for, although it can be parsed: the database has no text for half a character. */
function whyNotKept(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') {
    const isText = !/\p{Surrogate}/u.test(value) && !value.includes('\0');
    return isText ? undefined : `Unicode text without NUL; received ${JSON.stringify(value)}`;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === 0) return `at most ${maxDepth} objects and lists in one another; received more`;
  for (const part of Object.entries(value).flat()) {
    const reason = whyNotKept(part, depth - 1);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
