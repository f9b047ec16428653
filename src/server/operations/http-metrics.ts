import type { FastifyReply, FastifyRequest } from 'fastify';
import { Counter, Histogram, type Registry } from 'prom-client';

/** Counts requests: a hook `onResponse`. */
export type ObserveResponse = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** The label of paths without a route: paths themselves would be as many as their senders like. */
const noRoute = 'none';

/** Metrics of HTTP requests by route, method and status. */
export function registerHttpMetrics(registry: Registry, buckets: readonly number[]): ObserveResponse {
  const registers = [registry];
  const requests = new Counter({
    name: 'verydeep_http_requests_total',
    help: 'HTTP requests that were answered, by route, method and status.',
    labelNames: ['route', 'method', 'status'] as const,
    registers,
  });
  const durations = new Histogram({
    name: 'verydeep_http_request_duration_seconds',
    help: 'Time of an HTTP request from its header to the end of its answer, by route and method.',
    labelNames: ['route', 'method'] as const,
    buckets: [...buckets],
    registers,
  });
  return async ({ routeOptions, is404, method }, reply) => {
    const route = is404 ? noRoute : (routeOptions.url ?? noRoute);
    requests.inc({ route, method, status: reply.statusCode });
    durations.observe({ route, method }, reply.elapsedTime / 1000);
  };
}
