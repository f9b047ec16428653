import type { FastifyInstance, FastifySchema } from 'fastify';
import type { Serving } from '../../serving/registry.ts';
import { failureBody } from '../errors.ts';
import { failures, status } from '../images/docs.ts';

/** `GET /livez`: the process answers. `GET /readyz`: it can answer images. */
export async function healthRoutes(app: FastifyInstance, { serving }: { serving: Serving }): Promise<void> {
  app.get(
    '/livez',
    {
      schema: {
        operationId: 'live',
        summary: 'Whether the process answers',
        tags: ['operations'],
        response: { 200: status('alive').describe('It does.') },
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
    response: { 200: status('ready').describe('They are.'), ...failures(['NOT_READY']) },
  };
  app.get('/readyz', { schema: readySchema }, async (_request, reply) => {
    if (serving.isReady()) return { status: 'ready' };
    const message = 'starting, stopping, or no engine host is up';
    return reply
      .code(503)
      .header('retry-after', 1)
      .send(failureBody(503, 'NOT_READY', message));
  });
}
