import { randomUUID } from 'node:crypto';
import { maxHeaderSize } from 'node:http';
import { type FastifyInstance, type FastifyRequest, fastify, LogController, type LogLevel } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { VerydeepError } from '../errors.ts';
import type { Serving } from '../serving/registry.ts';
import { createClientErrors } from './client-errors.ts';
import { type Doors, guardDoors } from './doors.ts';
import { drainOnClose } from './draining.ts';
import { answerErrors, createErrorHandler, refuseUnknownRoutes } from './errors.ts';
import { createAnswerer } from './images/answerer.ts';
import { modelRoutes } from './images/model.ts';
import { imageRoutes } from './images/routes.ts';
import { type Admin, jobRoutes } from './jobs/routes.ts';
import { healthRoutes, isProbe } from './operations/health.ts';
import type { Metrics } from './operations/metrics.ts';
import { metricsRoutes } from './operations/metrics-route.ts';
import { registerOpenapi } from './operations/openapi.ts';
import { streamRoute } from './stream/routes.ts';

export interface AppOptions {
  readonly serving: Serving;
  readonly metrics: Metrics;
  readonly limits: AppLimits;
  readonly doors: Doors;
  /** Where not given, the routes under /admin are closed. */
  readonly admin?: Admin;
  /** No log when omitted. */
  readonly logLevel?: LogLevel;
}

export interface AppLimits {
  readonly maxFileBytes: number;
  readonly maxFiles: number;
  /** Image requests that are received or answered at once. */
  readonly maxRequests: number;
  /** Longest time from a request's first byte to its last. */
  readonly receiveTimeoutMs: number;
  /** Longest time from an image's last byte to its answer. */
  readonly timeoutMs: number;
  /** Streams open at once. */
  readonly maxStreams: number;
  /** Images that a stream may have sent without an answer. */
  readonly streamCredits: number;
  readonly streamMaxUnsentBytes: number;
}

export type App = FastifyInstance;

/**
 * The HTTP and WebSocket service. It does not listen; `close` answers what it has accepted, refuses the rest, and
 * closes the streams.
 */
export async function createApp(options: AppOptions): Promise<App> {
  const { serving, metrics, limits, admin, logLevel } = options;
  const onRejected = metrics.rejected;
  const sendPathError = createErrorHandler({ onRejected });
  const clientErrors = createClientErrors(onRejected);
  const app = fastify({
    ...(logLevel && { logger: { level: logLevel } }),
    logController: new LogController({ disableRequestLogging: ({ url }) => isProbe(url) }),
    bodyLimit: limits.maxFileBytes,
    requestTimeout: limits.receiveTimeoutMs,
    clientErrorHandler: clientErrors.handle,
    // Node and Fastify refuse these with bodies of their own: here they are refused like all others.
    http: { requireHostHeader: false },
    return503OnClosing: false,
    routerOptions: { maxParamLength: maxHeaderSize }, // an id of any length is one that is not there
    // What the router cannot read gets to no hook and no handler of errors.
    frameworkErrors: (error, request, reply) => {
      reply.raw.once('finish', () => void metrics.observeResponse(request, reply));
      sendPathError(error, request, reply.header('x-request-id', request.id));
    },
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  clientErrors.watch(app.server);
  answerErrors(app, { onRejected });
  app.removeAllContentTypeParsers();
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', metrics.observeResponse);
  const refuseWhenClosing = drainOnClose(app, serving.isReady);
  app.addHook('onClose', async () => metrics.dispose());

  const answerer = createAnswerer(metrics);
  await app.register(streamRoute, {
    serving,
    answerer,
    metrics,
    maxStreams: limits.maxStreams,
    credits: limits.streamCredits,
    timeoutMs: limits.timeoutMs,
    maxFileBytes: limits.maxFileBytes,
    maxUnsentBytes: limits.streamMaxUnsentBytes,
  });
  // Only now are WebSockets known as such, so that a refused one is ended with its answer.
  for (const refuse of [requireHost, guardDoors(options.doors), refuseWhenClosing, refuseUnknownRoutes])
    app.addHook('onRequest', refuse);
  await registerOpenapi(app);
  await app.register(imageRoutes, { ...limits, serving, answerer, metrics });
  await app.register(modelRoutes, { serving });
  await app.register(jobRoutes, { admin, onRejected });
  await app.register(healthRoutes, { serving });
  await app.register(metricsRoutes, { metrics });
  return app;
}

// --- helpers ---

/** The caller's own where it can be written to a log as it is. */
function requestId(received: string | string[] | undefined): string {
  return typeof received === 'string' && /^[\w.:@/+=-]{1,128}$/.test(received) ? received : randomUUID();
}

/** Node's own check would answer without a body (RFC 9112, 3.2). */
async function requireHost({ headers, raw }: FastifyRequest): Promise<void> {
  if (headers.host === undefined && raw.httpVersion === '1.1')
    throw new VerydeepError(
      'MALFORMED_REQUEST',
      'Host: expected the name of this host; received no such header',
    );
}
