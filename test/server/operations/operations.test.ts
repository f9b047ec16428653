import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { json } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { openapiDocument } from '../../../scripts/openapi-document.ts';
import { type ErrorCode, errorEntry } from '../../../src/errors.ts';
import { imageHeader, serverMessage } from '../../../src/server/stream/messages.ts';
import { heldRun, limits, multipartOf, startApp } from '../app-under-test.ts';

const text = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('probes', () => {
  it('say that the process answers, and whether images are answered', async () => {
    let ready = false;
    const { app } = await startApp({ isReady: () => ready });
    expect((await app.inject('/livez')).json()).toEqual({ status: 'alive' });
    const refused = await app.inject('/readyz');
    expect(refused.statusCode).toBe(503);
    expect(refused.json()).toMatchObject({ code: 'NOT_READY', error: 'Service Unavailable' });
    ready = true;
    expect((await app.inject('/readyz')).json()).toEqual({ status: 'ready' });
  });
});

describe('requests', () => {
  it('have an id: their own where it is sane', async () => {
    const { app } = await startApp();
    const idOf = async (id?: string) =>
      (await app.inject({ url: '/livez', headers: id === undefined ? {} : { 'x-request-id': id } })).headers[
        'x-request-id'
      ];
    expect(await idOf('abc-123')).toBe('abc-123');
    expect(await idOf('a b\tc')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idOf('x'.repeat(129))).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idOf()).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('of no route are told which there are', async () => {
    const { app } = await startApp();
    const response = await app.inject({ method: 'GET', url: '/clasify?top=1' });
    expect(response.json()).toMatchObject({ statusCode: 404, code: 'NOT_FOUND' });
    expect(response.json().message).toContain('GET /clasify: no such route');
  });

  it.each([
    ['GET', '/classify?top=1', 'POST, PUT'],
    ['OPTIONS', '/localise', 'POST, PUT'],
    ['POST', '/livez', 'GET, HEAD'],
    ['PUT', '/admin/jobs', 'GET, HEAD, POST'],
    ['PATCH', '/admin/jobs/1', 'GET, HEAD, DELETE'],
    ['GET', '/admin/jobs/1/resume?now', 'POST'],
    ['POST', '/admin/jobs/1/log', 'GET, HEAD'],
    ['DELETE', '/admin/jobs/1/events', 'GET'],
  ] as const)('%s %s is told which methods there are', async (method, url, allow) => {
    const { app } = await startApp();
    const response = await app.inject({ method, url });
    expect(response.headers.allow).toBe(allow);
    expect(response.json()).toMatchObject({ statusCode: 405, code: 'METHOD_NOT_ALLOWED' });
  });

  it.each(['/%zz', '/admin/jobs/%ff', '/admin/jobs/%/log'])(
    'whose path %s cannot be read are told so',
    async (url) => {
      const { app } = await startApp();
      const response = await app.inject({ url, headers: { 'x-request-id': 'mine' } });
      expect(response.json()).toMatchObject({
        statusCode: 400,
        code: 'MALFORMED_REQUEST',
        error: 'Bad Request',
      });
      expect(response.json().message).toBe(`path: expected percent-encoded UTF-8; received ${url}`);
      expect(response.headers['x-request-id']).toBe('mine');
    },
  );

  it('that ask for another protocol than WebSocket are answered as if they had not', async () => {
    const { app } = await startApp();
    const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
    const options = {
      port,
      method: 'PUT',
      path: '/classify',
      headers: { connection: 'Upgrade', upgrade: 'h2c' },
    };
    const outgoing = request(options);
    outgoing.write('ab');
    outgoing.end('cd');
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    expect(await json(response)).toMatchObject({ results: [{ width: 4 }] });
  });

  it.each([
    ['GARBAGE\r\n\r\n', 400, 'MALFORMED_REQUEST', 'expected a request of HTTP/1.1'],
    [
      'POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
      400,
      'MALFORMED_REQUEST',
      'HTTP/1.1',
    ],
    [`GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE', '16384'],
  ])('that are no HTTP are answered like all others: %#', async (request, statusCode, code, message) => {
    const { app } = await startApp();
    const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(request);
    const [head, body] = String((await once(socket, 'data'))[0]).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${statusCode} `));
    expect(JSON.parse(body!)).toMatchObject({ statusCode, code, message: expect.stringContaining(message) });
    socket.destroy();
  });

  it('that never end are cut off in time', async () => {
    const { app } = await startApp();
    expect(app.server.requestTimeout).toBe(limits.receiveTimeoutMs);
    const client = new PassThrough();
    const written: string[] = [];
    client.on('data', (chunk) => written.push(String(chunk)));
    const error = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    app.server.emit('clientError', error, client);
    expect(written.join('')).toMatch(/^HTTP\/1\.1 408 Request Timeout[\s\S]*"REQUEST_TIMEOUT"/);
  });

  it('that are on their way are answered when the app closes', async () => {
    const held = heldRun();
    const { app } = await startApp({ run: held.run });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const answer = fetch(`${url}/classify`, { method: 'PUT', body: Buffer.from('abc') });
    await held.running;
    const closing = app.close();
    held.release();
    expect((await answer).status).toBe(200);
    await closing;
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  });
});

describe('a service without its version', () => {
  it('refuses images and streams, and is not ready', async () => {
    const { app } = await startApp({ versions: [] });
    const answers = [
      await app.inject({ method: 'PUT', url: '/classify', payload: Buffer.from('good') }),
      await app.inject('/readyz'),
    ];
    for (const answer of answers) expect(answer.json()).toMatchObject({ code: 'NOT_READY' });
    await expect(app.injectWS('/stream', { headers: { host: 'a' } })).rejects.toThrow('503');
  });
});

describe('metrics', () => {
  it('are those of docs/metrics.md', async () => {
    const { metrics } = await startApp();
    const documented = [...text('docs/metrics.md').matchAll(/^\| `(verydeep_\w+)` \| (\w+) \|/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
    const real = (await metrics.registry.getMetricsAsJSON()).map(({ name, type }) => `${name} ${type}`);
    expect(real.sort()).toEqual(documented.sort());
  });

  it('count what was answered and what was not', async () => {
    const { app } = await startApp();
    const send = (bytes: string, query = '') =>
      app.inject({ method: 'PUT', url: `/classify${query}`, payload: Buffer.from(bytes) });
    await send('good');
    await send('full');
    await send('good', '?colour=red');
    await app.inject({
      method: 'POST',
      url: '/classify',
      ...multipartOf([
        { name: 'a', bytes: 'good' },
        { name: 'b', bytes: 'bad' },
      ]),
    });
    const response = await app.inject('/metrics');
    expect(response.headers['content-type']).toContain('text/plain');
    for (const line of [
      'verydeep_stage_duration_seconds_count{stage="total",ensemble="tiny",version="3"} 2',
      'verydeep_rejects_total{reason="QUEUE_FULL"} 1',
      'verydeep_rejects_total{reason="INVALID_OPTION"} 1',
      'verydeep_rejects_total{reason="CORRUPT_IMAGE"} 1',
      'verydeep_host_restarts_total{ensemble="tiny",version="3",host="0",device="cpu"} 2',
      'verydeep_queue_work_flops 2000000000',
    ]) {
      expect(response.body).toContain(line);
    }
  });

  it('count requests by route, method and status', async () => {
    const { app, metrics } = await startApp();
    await app.inject({ method: 'PUT', url: '/classify', payload: Buffer.from('good') });
    await app.inject({ method: 'PUT', url: '/classify', payload: Buffer.from('bad') });
    await app.inject({ method: 'PUT', url: '/classify?colour=red', payload: Buffer.from('good') });
    await app.inject({ method: 'DELETE', url: '/classify' });
    await app.inject('/admin/jobs/7');
    for (const path of ['/secret/1', '/secret/2', '/%zz']) await app.inject(path);
    const body = await metrics.registry.metrics();
    expect(body.match(/^verydeep_http_requests_total.*/gm)?.sort()).toEqual([
      'verydeep_http_requests_total{route="/admin/jobs/:id",method="GET",status="403"} 1',
      'verydeep_http_requests_total{route="/classify",method="PUT",status="200"} 1',
      'verydeep_http_requests_total{route="/classify",method="PUT",status="400"} 1',
      'verydeep_http_requests_total{route="/classify",method="PUT",status="422"} 1',
      'verydeep_http_requests_total{route="none",method="DELETE",status="405"} 1',
      'verydeep_http_requests_total{route="none",method="GET",status="400"} 1',
      'verydeep_http_requests_total{route="none",method="GET",status="404"} 2',
    ]);
    expect(body).toContain('verydeep_http_request_duration_seconds_count{route="/classify",method="PUT"} 3');
  });

  it('say what runs', async () => {
    const { app } = await startApp();
    const { version } = JSON.parse(text('package.json')) as { version: string };
    const { node } = process.versions;
    expect((await app.inject('/metrics')).body).toContain(
      `verydeep_build_info{version="${version}",node="${node}",platform="${process.platform}-${process.arch}"} 1`,
    );
  });

  it('of two versions are told apart', async () => {
    const { app, registry, metrics } = await startApp({ versions: ['3', '4'] });
    for (const { ensemble } of registry.deployments()) {
      const observer = metrics.observerOf(ensemble);
      observer.stage('decode', Number(ensemble.version));
      observer.batch(2, 1000 * Number(ensemble.version));
    }
    const { body } = await app.inject('/metrics');
    for (const line of [
      'verydeep_stage_duration_seconds_sum{stage="decode",ensemble="tiny",version="3"} 3',
      'verydeep_stage_duration_seconds_sum{stage="decode",ensemble="tiny",version="4"} 4',
      'verydeep_batch_pictures_count{ensemble="tiny",version="4"} 1',
      'verydeep_batch_work_flops_total{ensemble="tiny",version="3"} 3000',
      'verydeep_batch_work_flops_total{ensemble="tiny",version="4"} 4000',
      'verydeep_host_up{ensemble="tiny",version="4",host="0",device="cpu"} 1',
    ]) {
      expect(body).toContain(line);
    }
  });
});

describe('documents', () => {
  it('openapi.yaml is what the routes say (npm run openapi)', async () => {
    const [, ...committed] = text('openapi.yaml').split('\n');
    const generated = stringify(await openapiDocument(), { lineWidth: 110, aliasDuplicateObjects: false });
    expect(committed.join('\n')).toBe(generated);
  });

  it('every error of a route is one of src/errors.ts with its status', async () => {
    const document = JSON.stringify(await openapiDocument());
    for (const [, status, codes] of document.matchAll(/"([45]\d\d)":\{"description":"([^;"]+)/g)) {
      for (const [, code] of codes!.matchAll(/`(\w+)`/g)) {
        expect(errorEntry(code as ErrorCode).status).toBe(Number(status));
      }
    }
  });

  it('the examples of docs/stream.md are messages of the protocol', () => {
    const examples = [...text('docs/stream.md').matchAll(/```json\n([\s\S]*?)```/g)].map(
      ([, json]) => JSON.parse(json!) as { type: string },
    );
    expect(new Set(examples.map(({ type }) => type))).toEqual(
      new Set(['hello', 'image', 'result', 'error', 'credit']),
    );
    for (const example of examples) (example.type === 'image' ? imageHeader : serverMessage).parse(example);
  });
});
