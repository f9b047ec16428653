import type { FastifyInstance, FastifyRequest } from 'fastify';
import { messageOf, VerydeepError } from '../errors.ts';
import type { Translate } from './errors.ts';

/** A job is a few lines. */
const maxBodyBytes = 65_536;

/** Takes JSON. An empty body is none, whatever its type. */
export function acceptJobBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  const options = { parseAs: 'string', bodyLimit: maxBodyBytes } as const;
  app.addContentTypeParser('application/json', options, (request: FastifyRequest, body: string, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body, done);
  });
  app.addContentTypeParser('*', options, async (request: FastifyRequest, body: string) => {
    if (body === '') return undefined;
    throw new VerydeepError(
      'INVALID_JOB',
      `Content-Type: expected application/json; received ${request.headers['content-type'] ?? 'none'}. For instance: curl --json '{"type":"train",...}'`,
    );
  });
}

/** Errors of reading such a body. */
export const jobErrors: Translate = (error, { headers }) => {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const received = headers['content-length'] ?? 'more';
    return new VerydeepError(
      'INVALID_JOB',
      `body: expected at most ${maxBodyBytes} bytes; received ${received}`,
    );
  }
  const isSyntax = error instanceof SyntaxError || error.code === 'FST_ERR_CTP_INVALID_JSON_BODY';
  return isSyntax
    ? new VerydeepError('INVALID_JOB', `body: expected JSON; received something else: ${messageOf(error)}`)
    : undefined;
};
