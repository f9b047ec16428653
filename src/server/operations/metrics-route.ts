import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { failures } from '../failures.ts';
import type { Metrics } from './metrics.ts';

const scrape = {
  description: 'All metrics (docs/metrics.md).',
  content: { 'text/plain': { schema: z.string() } },
};

/** `GET /metrics`, in the text format of Prometheus. */
export async function metricsRoutes(app: FastifyInstance, { metrics }: { metrics: Metrics }): Promise<void> {
  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'metrics',
        summary: 'Metrics for Prometheus',
        tags: ['operations'],
        response: { 200: scrape, ...failures() },
      },
    },
    async (_request, reply) => {
      reply.type(metrics.registry.contentType);
      return metrics.registry.metrics();
    },
  );
}
