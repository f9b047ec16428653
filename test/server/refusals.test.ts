import { errorCodes, type FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openapiDocument } from '../../scripts/openapi-document.ts';
import { answeredCodes, type ErrorCode, errorEntry, VerydeepError } from '../../src/errors.ts';
import { answerErrors } from '../../src/server/errors.ts';
import type { Envelope } from '../../src/server/failures.ts';
import { limits, multipartOf, startApp } from './app-under-test.ts';
import { createMemoryJobs } from './jobs/memory-jobs.ts';
import { openClient, type RawClient, rejects } from './sockets.ts';
import { messagesOf } from './stream/messages.ts';

interface Document {
  readonly paths: Record<string, Record<string, { responses: Record<string, { description: string }> }>>;
}

const token = 'a-token-of-many-letters';
const host = 'Host: a\r\n';
const admin = `${host}Authorization: Bearer ${token}\r\n`;
const upgrade = `${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n`;
const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

const withBody = (head: string, body: string): string =>
  `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

function form(payload: string): string {
  return withBody(
    `POST /classify HTTP/1.1\r\n${host}Content-Type: multipart/form-data; boundary=a-boundary\r\n`,
    payload,
  );
}

const files = (count: number): string =>
  multipartOf(Array.from({ length: count }, () => ({ name: 'a', bytes: 'abc' }))).payload;

const part = (name: string): string =>
  `--a-boundary\r\nContent-Disposition: form-data; name="${name}"\r\n\r\nabc\r\n`;

/** For the name of a test. */
function shown(sent: string): string {
  return sent.replaceAll(host, '').replaceAll('\r\n', ' | ').slice(0, 90);
}

/** What is sent, the code of its refusal, and the operation of openapi.yaml that it is of, if any. */
const refusals: readonly [sent: string, code: ErrorCode, operation?: string][] = [
  ['GARBAGE\r\n\r\n', 'MALFORMED_REQUEST'],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'MALFORMED_REQUEST'],
  [`GET /livez HTTP/1.1\r\n${host}X: ${'y'.repeat(20_000)}\r\n\r\n`, 'HEADERS_TOO_LARGE', 'get /livez'],
  ['GET /livez HTTP/1.1\r\n\r\n', 'MALFORMED_REQUEST', 'get /livez'],
  [`POST /classify HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`, 'MALFORMED_REQUEST', 'post /classify'],
  [
    `POST /classify HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nno number\r\n`,
    'MALFORMED_REQUEST',
    'post /classify',
  ],
  [`CONNECT a:80 HTTP/1.1\r\n${host}\r\n`, 'MALFORMED_REQUEST'],
  [`GET /%zz HTTP/1.1\r\n${host}\r\n`, 'MALFORMED_REQUEST'],
  [`GET /nowhere HTTP/1.1\r\n${host}\r\n`, 'NOT_FOUND'],
  [withBody(`POST /nowhere HTTP/1.1\r\n${host}Content-Type: application/json\r\n`, '{'), 'NOT_FOUND'],
  [`GET /classify HTTP/1.1\r\n${host}\r\n`, 'METHOD_NOT_ALLOWED'],
  [withBody(`PATCH /livez HTTP/1.1\r\n${host}Content-Type: a/b\r\n`, 'x'), 'METHOD_NOT_ALLOWED'],

  [`GET /stream HTTP/1.1\r\n${host}\r\n`, 'UPGRADE_REQUIRED'],
  [`GET /stream HTTP/1.1\r\n${upgrade}\r\n`, 'MALFORMED_REQUEST'],
  [`GET /stream HTTP/1.1\r\n${upgrade.replace('13', '7')}${key}\r\n`, 'MALFORMED_REQUEST'],
  [`GET /livez HTTP/1.1\r\n${upgrade}${key}\r\n`, 'NOT_FOUND'],
  [`GET /stream HTTP/1.1\r\n${upgrade}${key}\r\n`, 'QUEUE_FULL'],

  [withBody(`POST /classify HTTP/1.1\r\n${host}`, ''), 'NO_IMAGE', 'post /classify'],
  [withBody(`PUT /localise?top=x HTTP/1.1\r\n${host}`, 'abc'), 'INVALID_OPTION', 'put /localise'],
  [withBody(`PUT /classify HTTP/1.1\r\n${host}`, 'x'.repeat(1001)), 'FILE_TOO_LARGE', 'put /classify'],
  [withBody(`PUT /classify HTTP/1.1\r\n${host}`, 'bad'), 'CORRUPT_IMAGE', 'put /classify'],
  [withBody(`PUT /classify HTTP/1.1\r\n${host}`, 'full'), 'QUEUE_FULL', 'put /classify'],
  [withBody(`PUT /classify HTTP/1.1\r\n${host}`, 'lost'), 'ENGINE_LOST', 'put /classify'],
  [withBody(`PUT /classify HTTP/1.1\r\n${host}`, 'bug'), 'INTERNAL', 'put /classify'],
  [
    withBody(`POST /classify HTTP/1.1\r\n${host}Content-Type: a/b\r\n`, 'abc'),
    'UNSUPPORTED_IMAGE',
    'post /classify',
  ],
  [
    withBody(`POST /classify HTTP/1.1\r\n${host}Content-Type: no type\r\n`, 'abc'),
    'UNSUPPORTED_IMAGE',
    'post /classify',
  ],
  [form(''), 'NO_IMAGE', 'post /classify'],
  [form(files(limits.maxFiles + 1)), 'TOO_MANY_FILES', 'post /classify'],
  [form(files(limits.maxFiles + 20)), 'TOO_MANY_FILES', 'post /classify'],
  [form(files(2).replace(/--\r\n$/, '')), 'MALFORMED_REQUEST', 'post /classify'],
  [form(`${part('top')}${part('scales')}--a-boundary--\r\n`), 'INVALID_OPTION', 'post /classify'],
  [
    withBody(`POST /classify HTTP/1.1\r\n${host}Content-Type: multipart/form-data\r\n`, 'abc'),
    'MALFORMED_REQUEST',
    'post /classify',
  ],
  [
    form(
      multipartOf([
        { name: 'a', bytes: 'full' },
        { name: 'b', bytes: 'lost' },
      ]).payload,
    ),
    'QUEUE_FULL',
    'post /classify',
  ],

  [`GET /admin/jobs HTTP/1.1\r\n${host}\r\n`, 'UNAUTHORISED', 'get /admin/jobs'],
  [`GET /admin/jobs/1 HTTP/1.1\r\n${admin}\r\n`, 'NOT_FOUND', 'get /admin/jobs/{id}'],
  [withBody(`POST /admin/jobs HTTP/1.1\r\n${admin}`, ''), 'INVALID_JOB', 'post /admin/jobs'],
  ...['{', '{}', '{"type":1}', `"${'x'.repeat(70_000)}"`].map((body): [string, ErrorCode, string] => [
    withBody(`POST /admin/jobs HTTP/1.1\r\n${admin}Content-Type: application/json\r\n`, body),
    'INVALID_JOB',
    'post /admin/jobs',
  ]),
  ...['a/b', 'no type'].map((type): [string, ErrorCode, string] => [
    withBody(`POST /admin/jobs HTTP/1.1\r\n${admin}Content-Type: ${type}\r\n`, 'abc'),
    'INVALID_JOB',
    'post /admin/jobs',
  ]),
  [
    form(files(1)).replace('/classify', '/admin/jobs').replace(host, admin),
    'INVALID_JOB',
    'post /admin/jobs',
  ],
];

const document = openapiDocument() as Promise<Document>;

describe('a refusal', () => {
  it.each(refusals.map(([sent, code, operation]) => [code, shown(sent), sent, operation] as const))(
    '%s: %s: has the one shape, is counted once, and is in openapi.yaml',
    async (code, _shown, sent, operation) => {
      const streams = { maxStreams: code === 'QUEUE_FULL' ? 0 : 1 };
      const { app, metrics } = await startApp({
        limits: streams,
        admin: { token, jobs: createMemoryJobs() },
      });
      const client = await openClient(app);
      client.write(sent);
      const { status, headers, body } = await client.response();
      const { status: expected, retry } = errorEntry(code);
      expect([status, JSON.parse(body)]).toEqual([
        expected,
        { statusCode: expected, code, error: expect.any(String), message: expect.any(String) },
      ]);
      expect(body).not.toMatch(/FST_|HPE_|ERR_/);
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(headers.has('retry-after')).toBe(retry === true);

      await leave(app, client);
      expect(await rejects(metrics)).toEqual({ [code]: 1 });

      if (operation === undefined) return;
      const [method, path] = operation.split(' ');
      const { paths } = await document;
      expect(paths[path!]![method!]!.responses[expected]!.description).toContain(`\`${code}\``);
    },
  );
});

describe('what is refused', () => {
  it('in time, when a request never ends', async () => {
    const { app, metrics } = await startApp();
    expect(app.server.requestTimeout).toBe(limits.receiveTimeoutMs);
    // Node looks every 30 s whether a request is late.
    Object.assign(app.server, { headersTimeout: 20, requestTimeout: 20, connectionsCheckingInterval: 5 });
    for (const sent of [
      'GET /livez HTTP/1.1\r\nHos',
      `PUT /classify HTTP/1.1\r\n${host}Content-Length: 9\r\n\r\nab`,
    ]) {
      const client = await openClient(app);
      client.write(sent);
      const { status, body } = await client.response();
      expect([status, JSON.parse(body).code]).toEqual([408, 'REQUEST_TIMEOUT']);
      await client.closed;
    }
    await app.close();
    expect(await rejects(metrics)).toEqual({ REQUEST_TIMEOUT: 2 });
  });

  it('is read to its end, so that no connection is reset before its answer is seen', async () => {
    const { app } = await startApp();
    const client = await openClient(app);
    client.write(`GET /livez HTTP/1.1\r\n${host}X: ${'y'.repeat(20_000_000)}\r\n\r\n`);
    expect((await client.response()).status).toBe(431);
    expect(await client.closed).toBeUndefined();
  });

  it('when a request ends too early', async () => {
    const { app, metrics } = await startApp();
    const client = await openClient(app);
    client.socket.end(`PUT /classify HTTP/1.1\r\n${host}Content-Length: 9\r\n\r\nab`);
    expect(JSON.parse((await client.response()).body)).toMatchObject({
      code: 'MALFORMED_REQUEST',
      message: 'expected a whole request; received a part of it',
    });
    await leave(app, client);
    expect(await rejects(metrics)).toEqual({ MALFORMED_REQUEST: 1 });
  });

  it('is nothing when a client leaves before its request is there', async () => {
    const { app, metrics } = await startApp();
    for (const head of [
      `PUT /classify HTTP/1.1\r\n${host}`,
      `POST /classify HTTP/1.1\r\n${host}Content-Type: multipart/form-data; boundary=a-boundary\r\n`,
    ]) {
      const client = await openClient(app);
      const request = new Promise((resolve) => app.server.once('request', resolve));
      client.write(
        `${head}Content-Length: 999\r\n\r\n--a-boundary\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\nabc\r\n`,
      );
      await request;
      client.socket.resetAndDestroy();
      await client.closed;
    }
    await app.close();
    await turns();
    expect(await rejects(metrics)).toEqual({});
  });

  it('once, although the rest of its body is broken', async () => {
    const { app, metrics } = await startApp();
    const client = await openClient(app);
    client.write(
      `PUT /classify?top=x HTTP/1.1\r\n${host}Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    client.write(`7d0\r\n${'x'.repeat(2000)}\r\n`);
    expect(JSON.parse((await client.response()).body).code).toBe('FILE_TOO_LARGE');
    client.write('no number\r\n');
    await client.closed;
    await app.close();
    await turns();
    expect(await rejects(metrics)).toEqual({ FILE_TOO_LARGE: 1 });
  });

  it('is no expectation that nobody knows', async () => {
    const { app, metrics } = await startApp();
    const client = await openClient(app);
    client.write(`GET /livez HTTP/1.1\r\n${host}Expect: a-miracle\r\n\r\n`);
    expect((await client.response()).status).toBe(200);
    await leave(app, client);
    expect(await rejects(metrics)).toEqual({});
  });

  it('counts each file of a request that is answered', async () => {
    const { app, metrics } = await startApp();
    const bytes = ['good', 'bad', 'full', 'bug'].map((name) => ({ name, bytes: name }));
    const response = await app.inject({ method: 'POST', url: '/classify', ...multipartOf(bytes) });
    expect(response.statusCode).toBe(200);
    expect(await rejects(metrics)).toEqual({ CORRUPT_IMAGE: 1, QUEUE_FULL: 1, INTERNAL: 1 });
  });

  it('counts each image of a stream', async () => {
    const { app, metrics } = await startApp();
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const stream = new WebSocket(`${url.replace('http', 'ws')}/stream`);
    const { next } = messagesOf(stream);
    await next(); // hello
    for (const [id, bytes, options] of [
      ['1', 'bad', {}],
      ['2', 'abc', { top: 0 }],
    ] as const) {
      stream.send(JSON.stringify({ type: 'image', id, task: 'classify', ...options }));
      stream.send(Buffer.from(bytes));
      while ((await next()).type !== 'credit');
    }
    stream.terminate();
    expect(await rejects(metrics)).toEqual({ CORRUPT_IMAGE: 1, INVALID_OPTION: 1 });
  });

  it('is no probe that says how things are', async () => {
    const { app, metrics } = await startApp({ isReady: () => false });
    expect((await app.inject('/readyz')).json()).toMatchObject({ statusCode: 503, code: 'NOT_READY' });
    expect(await rejects(metrics)).toEqual({});
  });
});

describe('errors of Fastify and its plugins', () => {
  it('have a code of ours, whichever they are', async () => {
    const { app } = await startApp();
    const all = Object.values(errorCodes);
    app.get<{ Params: { i: string } }>('/throws/:i', async ({ params }) => {
      throw new all[Number(params.i)]!('A', 'B');
    });
    expect(all.length).toBeGreaterThan(80);
    for (let i = 0; i < all.length; i++) {
      const { code, statusCode } = (await app.inject(`/throws/${i}`)).json();
      const isOfRequest = new all[i]!('A', 'B').statusCode! < 500;
      expect([code, statusCode]).toEqual(isOfRequest ? ['MALFORMED_REQUEST', 400] : ['INTERNAL', 500]);
      expect(answeredCodes).toContain(code);
    }
  });
});

describe('a protocol with an envelope of its own', () => {
  it('answers in it, under its prefix alone', async () => {
    const { app, metrics } = await startApp();
    const envelope: Envelope = ({ code, message }) => ({ error: `${message} (${code})` });
    await app.register(
      async (other) => {
        answerErrors(other, { onRejected: metrics.rejected, envelope });
        other.post('/models/:name', async () => {
          throw new VerydeepError('QUEUE_FULL', 'a long queue', { retryAfterSeconds: 2.5 });
        });
      },
      { prefix: '/v2' },
    );
    const call = async (method: 'GET' | 'POST', url: string, payload?: string) => {
      const body = payload && { payload, headers: { 'content-type': 'a/b' } };
      const response = await app.inject({ method, url, ...(body || {}) });
      return [response.statusCode, response.json()];
    };
    expect(await call('POST', '/v2/models/a')).toEqual([429, { error: 'a long queue (QUEUE_FULL)' }]);
    expect((await app.inject({ method: 'POST', url: '/v2/models/a' })).headers['retry-after']).toBe('3');
    expect(await call('POST', '/v2/models/a', 'abc')).toEqual([
      400,
      { error: 'Unsupported Media Type (MALFORMED_REQUEST)' },
    ]);
    expect(await call('GET', '/v2/models/a')).toEqual([
      405,
      { error: 'GET /v2/models/a: expected POST (METHOD_NOT_ALLOWED)' },
    ]);
    expect(await call('GET', '/v2/nowhere')).toEqual([
      404,
      { error: expect.stringContaining('(NOT_FOUND)') },
    ]);
    expect(await call('GET', '/v3')).toEqual([
      404,
      expect.objectContaining({ statusCode: 404, code: 'NOT_FOUND' }),
    ]);
    expect(await rejects(metrics)).toEqual({
      QUEUE_FULL: 2,
      MALFORMED_REQUEST: 1,
      METHOD_NOT_ALLOWED: 1,
      NOT_FOUND: 2,
    });
  });
});

/** Closes both ends, and lets what is left of requests come to its end. */
async function leave(app: FastifyInstance, client: RawClient): Promise<void> {
  client.socket.destroy();
  await app.close();
  await turns();
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
