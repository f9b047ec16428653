import type { FastifyInstance, FastifySchema } from 'fastify';
import { VerydeepError } from '../../errors.ts';
import type { Serving } from '../../serving/registry.ts';
import { failureOf, failures, ownEnvelope } from '../failures.ts';
import { status } from '../images/docs.ts';

/** `GET /livez`: the process answers. `GET /readyz`: it can answer images. */
export async function healthRoutes(app: FastifyInstance, { serving }: { serving: Serving }): Promise<void> {
  app.get(
    '/livez',
    {
      schema: {
        operationId: 'live',
        summary: 'Whether the process answers',
        tags: ['operations'],
        response: { 200: status('alive').describe('It does.'), ...failures() },
      },
    },
    async () => ({ status: 'alive' }),
  );

  const readySchema: FastifySchema = {
    operationId: 'ready',
    summary: 'Whether images are answered',
    description:
      'Ready once every network has answered a picture through the whole path; not while no engine host is up, nor while the service stops.',
    tags: ['operations'],
    response: { 200: status('ready').describe('They are.'), ...failures() },
  };
  app.get('/readyz', { schema: readySchema }, async (_request, reply) => {
    if (serving.isReady()) return { status: 'ready' };
    // An answer, not a refusal: it is not counted among these.
    const failure = failureOf(new VerydeepError('NOT_READY', 'not ready'));
    return reply.code(failure.status).headers(failure.headers).send(ownEnvelope(failure));
  });
}

/** Paths that say how the service is, whatever becomes of others. */
export function isProbe(url: string): boolean {
  return ['/livez', '/readyz', '/metrics'].includes(url);
}
