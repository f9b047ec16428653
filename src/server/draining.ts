import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import { VerydeepError } from '../errors.ts';
import { isProbe } from './operations/health.ts';
import { within } from './within.ts';

/** The rest of a body that nobody wants is read for so long: data unread would reset the connection. */
const lingerMs = 5000;

/**
 * While the app is not ready, and while it closes, every answer ends its connection: clients that keep theirs open go
 * elsewhere, and none is closed under a request. What was accepted is answered. Returns a hook `onRequest` that refuses
 * with NOT_READY what still comes while the app closes. To be called before anything else waits for the close.
 */
export function drainOnClose(app: FastifyInstance, isReady: () => boolean): onRequestAsyncHookHandler {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
    app.server.keepAliveTimeout = 1; // of connections whose answer has begun, and does not say that it is the last
  });
  app.addHook('onSend', async (request, reply) => {
    if (!closing && isReady()) return;
    reply.header('connection', 'close');
    if (!request.ws) await within(received(request.raw), lingerMs);
  });
  return async ({ url }) => {
    if (closing && !isProbe(url)) throw new VerydeepError('NOT_READY', 'the service is stopping');
  };
}

// --- helpers ---

/** Fulfilled when nothing more comes of a request. */
async function received(request: IncomingMessage): Promise<void> {
  if (request.complete || request.readableEnded || request.destroyed) return;
  request.resume();
  await Promise.race([once(request, 'end'), once(request, 'close')]).catch(() => {}); // or it broke
}
