import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { VerydeepError } from '../errors.ts';

export interface Doors {
  /** Names, without port, that a request may use for this service; any when omitted. */
  readonly hosts?: readonly string[];
  /** Origins of other web pages that may use it: `https://example.com`; `*` for all. Its own pages always may. */
  readonly origins: readonly string[];
}

/** Names of a service that listens for its own machine only. */
export const loopbackNames = ['localhost', '127.0.0.1', '[::1]'] as const;

/**
 * Keeps web pages of strangers from a service that a browser can reach and they cannot: on a visitor's own machine, or
 * behind a firewall. A page may send requests to any address, and read answers of a name that its owner lets
 * point to it (DNS rebinding). Programs send no Origin. A hook `onRequest`; throws UNKNOWN_HOST, ORIGIN_REFUSED.
 */
export function guardDoors({ hosts, origins }: Doors): onRequestAsyncHookHandler {
  return async (request) => {
    const { host = '', origin } = request.headers;
    if (hosts !== undefined && !hosts.includes(nameOf(host))) {
      const message = `Host: expected ${hosts.join(' or ')} (ALLOWED_HOSTS allows others); received ${host}`;
      throw new VerydeepError('UNKNOWN_HOST', message);
    }
    if (origin === undefined || !changesState(request) || origins.includes('*')) return;
    if (isOwn(origin, host) || origins.includes(origin)) return;
    const message = `Origin: expected a page of this service (ALLOWED_ORIGINS allows others); received ${origin}`;
    throw new VerydeepError('ORIGIN_REFUSED', message);
  };
}

// --- helpers ---

/** A WebSocket is a GET, and browsers let any page open one. */
function changesState({ method, ws }: FastifyRequest): boolean {
  return ws || (method !== 'GET' && method !== 'HEAD');
}

/** Without its port, in lower case. */
function nameOf(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase();
}

function isOwn(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
