import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { VerydeepError } from '../errors.ts';

/**
 * Makes an `onRequest` hook that lets through requests with `Authorization: Bearer TOKEN`. It throws UNAUTHORISED, and
 * ADMIN_DISABLED if the settings have no token.
 */
export function requireToken(token: string | undefined) {
  const expected = token === undefined ? undefined : digestOf(token);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (expected === undefined) throw adminDisabled();
    const received = /^Bearer +([\x21-\x7e]+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    // Digests are of one length, so that neither the time nor an error tells anything of the token.
    if (received !== undefined && timingSafeEqual(digestOf(received), expected)) return;
    reply.header('www-authenticate', 'Bearer');
    throw new VerydeepError(
      'UNAUTHORISED',
      `expected "Authorization: Bearer TOKEN" with the ADMIN_TOKEN of the service; received ${received === undefined ? 'no token' : 'another token'}`,
    );
  };
}

/** The error of every route that needs a token, without one in the settings. */
export function adminDisabled(): VerydeepError {
  return new VerydeepError(
    'ADMIN_DISABLED',
    'expected a token in the settings; received none. Start the service with one, for instance: ADMIN_TOKEN=$(openssl rand -hex 32)',
  );
}

// --- helpers ---

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
