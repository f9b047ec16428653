import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { packageVersion } from '../../package-version.ts';
import { imageBodies } from '../images/docs.ts';

/** Collects the routes that are registered after it into an OpenAPI 3.1 document, and serves it. */
export async function registerOpenapi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'verydeep',
        description:
          'Classifies and localises images with an ensemble of very deep ConvNets. `GET /stream` is a WebSocket with a protocol of its own: docs/stream.md.',
        version: packageVersion(),
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'Where this document is served.' }],
      security: [], // none, unless a route says otherwise
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'The `ADMIN_TOKEN` of the service.' },
        },
      },
      tags: [
        { name: 'images', description: 'Images in, classes and boxes out.' },
        { name: 'model', description: 'What answers.' },
        { name: 'jobs', description: 'Training and evaluation in the background, for those with the token.' },
        { name: 'operations', description: 'For probes, Prometheus and generators of clients.' },
      ],
    },
    transform(route) {
      const { schema, url } = jsonSchemaTransform(route);
      if (!schema?.tags?.includes('images')) return { schema, url };
      const documented: FastifySchema = { ...schema, body: imageBodies };
      // Lists in a query are separated by commas.
      documented.querystring = { ...(schema.querystring as object), style: 'form', explode: false };
      return { schema: documented, url };
    },
    transformObject: (document) => withoutSafeBounds(removeUnused(jsonSchemaTransformObject(document))),
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

// --- helpers ---

type OpenapiDocument = ReturnType<typeof jsonSchemaTransformObject>;

/** Every schema is made twice, as input and as output: those that nothing refers to are removed. */
function removeUnused(document: OpenapiDocument): OpenapiDocument {
  const { components } = document as { components?: { schemas?: Record<string, unknown> } };
  const all = components?.schemas ?? {};
  const used = new Set<string>();
  const visit = (value: unknown): void => {
    for (const [, name] of JSON.stringify(value ?? {}).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name!)) continue;
      used.add(name!);
      visit(all[name!]);
    }
  };
  visit(document.paths);
  for (const name of Object.keys(all)) if (!used.has(name)) delete all[name];
  return document;
}

/** Zod bounds every integer by what a double holds exactly: true, and noise. */
function withoutSafeBounds(document: OpenapiDocument): OpenapiDocument {
  const text = JSON.stringify(document, (_key, value: unknown) =>
    typeof value === 'number' && Math.abs(value) === Number.MAX_SAFE_INTEGER ? undefined : value,
  );
  return JSON.parse(text) as OpenapiDocument;
}
