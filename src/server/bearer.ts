import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { VerydeepError } from '../errors.ts';
import { createTokenAttempts } from './token-attempts.ts';

/** Four guesses a second from an address. */
const attemptLimits = { delayMs: 250, maxWaiting: 8, maxAddresses: 1000 };

/**
 * Makes an `onRequest` hook that lets through requests with `Authorization: Bearer TOKEN`. It throws UNAUTHORISED, after a
 * while if there was a token, TOO_MANY_ATTEMPTS, and ADMIN_DISABLED if the settings have no token.
 */
export function requireToken(token: string | undefined) {
  const expected = token === undefined ? undefined : digestOf(token);
  const attempts = createTokenAttempts(attemptLimits);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (expected === undefined) throw adminDisabled();
    attempts.admit(request.ip);
    const received = /^Bearer +([\x21-\x7e]+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    // Digests are of one length, so that neither the time nor an error tells anything of the token.
    if (received !== undefined && timingSafeEqual(digestOf(received), expected)) return;
    if (received !== undefined) await attempts.failed(request.ip);
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
