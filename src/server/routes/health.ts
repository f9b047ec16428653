import type { FastifyInstance } from 'fastify';
import { VerydeepError } from '../../errors.ts';
import { failures, status } from '../route-docs.ts';

/** `GET /livez`: the process answers. `GET /readyz`: it can answer images. */
export async function healthRoutes(
  app: FastifyInstance,
  { isReady }: { isReady: () => boolean },
): Promise<void> {
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

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'ready',
        summary: 'Whether images are answered',
        description:
          'Ready once every network has answered a picture through the whole path; not while no engine host is up, nor while the service stops.',
        tags: ['operations'],
        response: { 200: status('ready').describe('They are.'), ...failures(['NOT_READY']) },
      },
    },
    async () => {
      if (!isReady()) throw new VerydeepError('NOT_READY', 'starting, stopping, or no engine host is up');
      return { status: 'ready' };
    },
  );
}
