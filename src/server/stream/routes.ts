import type { Socket } from 'node:net';
import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { WebSocket } from 'ws';
import { VerydeepError } from '../../errors.ts';
import type { Serving } from '../../serving/registry.ts';
import { clientOf } from '../client.ts';
import { refuseOnSocket } from '../client-errors.ts';
import { failureOf } from '../failures.ts';
import type { Answerer } from '../images/answerer.ts';
import type { ImageTask } from '../images/options.ts';
import { presentModel, presentResult, unnamed } from '../images/present.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { ServerMessage } from './messages.ts';
import { ignoreOtherUpgrades } from './other-upgrades.ts';
import { closeCode, createStreamSession, type StreamAction, type StreamOutcome } from './session.ts';

export interface StreamOptions {
  readonly serving: Serving;
  readonly answerer: Answerer;
  readonly metrics: Metrics;
  /** Open at once; a further one is refused before it is upgraded. */
  readonly maxStreams: number;
  readonly credits: number;
  readonly timeoutMs: number;
  /** A larger frame closes the stream with 1009. */
  readonly maxFileBytes: number;
  /** Answers that a client has not read; at so many bytes the stream is closed with 1013. */
  readonly maxUnsentBytes: number;
}

/** A peer that does not answer a close frame is cut off after so long. */
const closeTimeoutMs = 5000;

/** A peer of which no byte came since the last ping, not even its answer, has gone. */
const pingMs = 60_000;

/**
 * `GET /stream`: images in and answers out over one WebSocket (docs/stream.md). To be registered before all routes, so
 * that upgrades of others are refused.
 */
export const streamRoute = fastifyPlugin(
  async (app: FastifyInstance, options: StreamOptions): Promise<void> => {
    const connections = new Set<Connection>();
    const socketOptions = { maxPayload: options.maxFileBytes, closeTimeout: closeTimeoutMs };
    await app.register(websocket, {
      options: socketOptions,
      errorHandler: (error, _socket, request) => request.log.debug({ err: error }, 'stream'),
      // Every connection answers what it has accepted, and is closed then.
      preClose: async () => {
        await Promise.all([...connections].map((connection) => connection.drain()));
      },
    });
    ignoreOtherUpgrades(app.server);
    app.websocketServer.on('wsClientError', ({ message }, socket) => {
      options.metrics.rejected('MALFORMED_REQUEST');
      const expected = 'GET /stream: expected the handshake of a WebSocket, version 13';
      const error = new VerydeepError('MALFORMED_REQUEST', `${expected}; received another: ${message}`);
      refuseOnSocket(socket, error, ['sec-websocket-version: 13']);
    });
    // Of themselves they would be upgraded and closed then, a connection for as long as the client takes.
    app.addHook('onRequest', async ({ ws, method, url, routeOptions }) => {
      if (!ws || routeOptions.url === '/stream') return;
      const message = `${method} ${url.split('?')[0]}: no WebSocket; expected GET /stream`;
      throw new VerydeepError('NOT_FOUND', message);
    });
    const refuse = async ({ ws }: FastifyRequest): Promise<void> => {
      if (!ws) return;
      options.serving.current(); // without one there is nothing to say in a hello
      if (connections.size < options.maxStreams) return;
      options.metrics.streamRefused();
      const message = `expected at most ${options.maxStreams} streams at once; received one more`;
      throw new VerydeepError('QUEUE_FULL', message, { retryAfterSeconds: 1 });
    };
    app.route({
      method: 'GET',
      url: '/stream',
      schema: { hide: true },
      onRequest: refuse,
      handler: async (_request, reply) => {
        reply.header('upgrade', 'websocket');
        throw new VerydeepError(
          'UPGRADE_REQUIRED',
          'GET /stream: expected a WebSocket; received a plain request',
        );
      },
      wsHandler: (socket, request) => {
        const onFault = (error: unknown): void => request.log.error({ err: error }, 'stream');
        const connection = connect(socket, clientOf(request.socket), options, onFault);
        terminateWhenSilent(socket, request.socket);
        connections.add(connection);
        socket.once('close', () => connections.delete(connection));
      },
    });
  },
  { name: 'stream' },
);

// --- helpers ---

interface Connection {
  /** Fulfilled when the socket is closed. */
  drain(): Promise<void>;
}

/** Ties a session to its socket. Listeners are attached before anything is awaited, so that no frame is lost. */
function connect(
  socket: WebSocket,
  client: string,
  { answerer, metrics, maxUnsentBytes, ...options }: StreamOptions,
  onFault: (error: unknown) => void,
): Connection {
  const deployment = options.serving.current();
  const session = createStreamSession({
    credits: options.credits,
    model: presentModel(deployment.ensemble),
    maxTimeoutMs: options.timeoutMs,
  });
  const gone = new AbortController();
  /** The server's own code; the client's echo of it may never come. */
  let closedWith: number | undefined;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));

  function perform(actions: readonly StreamAction[]): void {
    for (const action of actions) {
      if (action.type === 'send') send(action.message);
      else if (action.type === 'close') end(action.code, action.reason);
      else void run(action.id, action.task, action.bytes);
    }
  }

  /** One message may be larger than the cap; a second one on top of it may not. */
  function send(message: ServerMessage): void {
    if (message.type === 'error') metrics.rejected(message.code);
    if (socket.readyState !== socket.OPEN) return;
    const text = JSON.stringify(message);
    if (socket.bufferedAmount + text.length > maxUnsentBytes && socket.bufferedAmount > 0) {
      perform(session.close(closeCode.tryAgainLater, 'answers are not read'));
    } else {
      socket.send(text);
    }
  }

  function end(code: number, reason: string): void {
    closedWith = code;
    socket.close(code, reason);
    leave();
  }

  /** Work that nobody reads any more is dropped. */
  function leave(): void {
    if (!gone.signal.aborted) gone.abort(new VerydeepError('REQUEST_CANCELLED', 'the stream is closed'));
  }

  async function run(id: string, task: ImageTask, bytes: Uint8Array): Promise<void> {
    const report = (outcome: StreamOutcome): void => perform(session.outcome(id, outcome));
    try {
      const { result, plan } = await answerer(deployment, bytes, task, {
        client,
        signal: gone.signal,
        onPartial: ({ scalesDone, result }) =>
          report({ final: false, scalesDone, result: presentResult(unnamed, result) }),
      });
      report({ final: true, scalesDone: plan.scales, result: presentResult(unnamed, result) });
    } catch (error) {
      if (failureOf(error).status === 500) onFault(error);
      report({ error });
    }
  }

  metrics.streamOpened();
  socket.on('message', (data: Buffer, isBinary) => {
    perform(isBinary ? session.binary(data) : session.text(data.toString('utf8')));
  });
  socket.once('close', (code) => {
    metrics.streamClosed(closedWith ?? code);
    session.close(code, 'the socket is closed');
    leave();
  });
  perform(session.open());

  return {
    drain() {
      perform(session.drain());
      return closed;
    },
  };
}

/** A connection that broke without a word would hold its place for hours. */
function terminateWhenSilent(socket: WebSocket, connection: Socket): void {
  let bytesRead = -1;
  const timer = setInterval(() => {
    if (connection.bytesRead === bytesRead) return socket.terminate();
    bytesRead = connection.bytesRead;
    socket.ping();
  }, pingMs);
  socket.once('close', () => clearInterval(timer));
}
