import type { FastifyInstance, FastifyRequest } from 'fastify';
import { VerydeepError } from '../../errors.ts';
import { fileTooLarge } from '../../image/limits.ts';
import type { Translate } from '../errors.ts';

/** Takes raw bytes with the types that HTTP clients send: `--data-binary` of curl says that they are a form. */
export function acceptImageBodies(app: FastifyInstance): void {
  for (const type of ['application/octet-stream', 'application/x-www-form-urlencoded', /^image\//i]) {
    app.addContentTypeParser(
      type,
      { parseAs: 'buffer' },
      async (_request: FastifyRequest, body: Buffer) => body,
    );
  }
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    // Of an empty body the type says nothing.
    if (request.headers['content-type'] === undefined || body.length === 0) return body;
    throw unsupportedType(request);
  });
}

/** Errors of reading such a body. */
export function imageErrors(maxFileBytes: number): Translate {
  return ({ code }, request) => {
    switch (code) {
      case 'FST_ERR_CTP_BODY_TOO_LARGE':
        return fileTooLarge(maxFileBytes, request.headers['content-length']);
      case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
        return unsupportedType(request);
      default:
        return undefined;
    }
  };
}

/** Says how to send an image. */
export function noImage(received: string): VerydeepError {
  return new VerydeepError(
    'NO_IMAGE',
    `expected an image as the body, or files as multipart/form-data; ${received}. For instance: curl -T photo.jpg`,
  );
}

// --- helpers ---

function unsupportedType({ headers }: FastifyRequest): VerydeepError {
  return new VerydeepError(
    'UNSUPPORTED_IMAGE',
    `Content-Type: expected image/*, application/octet-stream, none, or multipart/form-data with files; received ${headers['content-type']}. Send the bytes of one file, for instance: curl -T photo.jpg`,
  );
}
