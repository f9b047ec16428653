import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { deferred } from '../deferred.ts';
import { plainRun, startApp } from './app-under-test.ts';
import { openClient, rejects } from './sockets.ts';

const put = (bytes: string): string =>
  `PUT /classify HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes.length}\r\n\r\n${bytes}`;
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** An app that computes until it is released. */
async function startSlowApp() {
  const running = deferred();
  const release = deferred();
  let ready = true;
  const { app, metrics } = await startApp({
    isReady: () => ready,
    limits: { maxFileBytes: 20_000_000 },
    run: async (...call) => {
      running.resolve();
      await release.promise;
      return plainRun(...call);
    },
  });
  /** Fulfilled when the app has begun to close; what it returns is fulfilled when it has. */
  const close = async (): Promise<{ closed: Promise<void> }> => {
    const closed = app.close();
    while (app.server.keepAliveTimeout !== 1) await new Promise((resolve) => setImmediate(resolve));
    return { closed };
  };
  const stop = (): void => {
    ready = false;
  };
  return { app, metrics, running: running.promise, release: () => release.resolve(), stop, close };
}

/** A slow app with a stream whose image is computed, so that closing the app takes until it is released. */
async function startClosing() {
  const slow = await startSlowApp();
  const { app } = slow;
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const stream = new WebSocket(`${url.replace('http', 'ws')}/stream`);
  await once(stream, 'open');
  stream.send(JSON.stringify({ type: 'image', id: '1', task: 'classify' }));
  stream.send(Buffer.from('abc'));
  await slow.running;
  const clients = [
    await openClient(app),
    await openClient(app),
    await openClient(app),
    await openClient(app),
  ] as const;
  // Kept alive: each has had an answer.
  for (const client of clients) {
    client.write(get('/livez'));
    expect((await client.response()).headers.get('connection')).toBe('keep-alive');
  }
  return { ...slow, url, clients, stream, ...(await slow.close()) };
}

describe('an app that closes', () => {
  it('refuses what still comes on open connections, with the body of all refusals', async () => {
    const { clients, release, closed, metrics } = await startClosing();
    const [image, large, nowhere, broken] = clients;
    image.write(put('abc'));
    const { status, headers, body } = await image.response();
    expect([status, JSON.parse(body)]).toEqual([
      503,
      {
        statusCode: 503,
        code: 'NOT_READY',
        error: 'Service Unavailable',
        message: 'the service is starting or stopping, or no engine host is up; try again',
      },
    ]);
    expect(headers.get('retry-after')).toBe('1');
    expect(headers.get('connection')).toBe('close');
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);

    // The body of a large one is read to its end: else its connection would be reset, and the answer lost.
    large.write(put('x'.repeat(19_000_000)));
    expect(JSON.parse((await large.response()).body).code).toBe('NOT_READY');
    expect(await large.closed).toBeUndefined();
    nowhere.write(get('/nowhere'));
    expect(JSON.parse((await nowhere.response()).body).code).toBe('NOT_READY');
    broken.write('GARBAGE\r\n\r\n');
    expect(JSON.parse((await broken.response()).body).code).toBe('MALFORMED_REQUEST');
    await Promise.all(clients.map(({ closed }) => closed));
    release();
    await closed;
    expect(await rejects(metrics)).toEqual({ NOT_READY: 3, MALFORMED_REQUEST: 1 });
  });

  it('refuses new connections and streams in the same way while it answers the others', async () => {
    const { app, clients, release, closed, stream, url } = await startClosing();
    const late = await openClient(app);
    late.write(put('abc'));
    expect(JSON.parse((await late.response()).body).code).toBe('NOT_READY');
    const upgraded = new WebSocket(`${url.replace('http', 'ws')}/stream`);
    const [, response] = await once(upgraded, 'unexpected-response');
    expect(response.statusCode).toBe(503);
    const messages: string[] = [];
    stream.on('message', (data) => messages.push(JSON.parse(String(data)).type));
    const [code] = await Promise.all([once(stream, 'close').then(([code]) => code), closed, release()]);
    expect([messages, code]).toEqual([['result', 'result', 'credit'], 1001]);
    for (const client of clients) await client.closed;
  });

  it('still says how it is', async () => {
    const { clients, release, closed, metrics, stop } = await startClosing();
    stop();
    const [live, ready, scrape] = clients;
    live.write(get('/livez'));
    expect((await live.response()).status).toBe(200);
    ready.write(get('/readyz'));
    expect((await ready.response()).status).toBe(503);
    scrape.write(get('/metrics'));
    expect((await scrape.response()).status).toBe(200);
    release();
    await closed;
    expect(await rejects(metrics)).toEqual({});
  });

  it('answers what it has accepted, and ends its connection with it', async () => {
    const { app, running, release, close } = await startSlowApp();
    const client = await openClient(app);
    client.write(put('abc'));
    await running;
    const { closed } = await close();
    release();
    const { status, headers } = await client.response();
    expect([status, headers.get('connection')]).toEqual([200, 'close']);
    await client.closed;
    await closed;
  });

  it('ends connections with their answers as soon as it is not ready, and accepts others', async () => {
    const { app, release, stop } = await startSlowApp();
    release();
    for (const expected of ['keep-alive', 'close', 'close']) {
      const client = await openClient(app);
      client.write(put('abc'));
      const { status, headers } = await client.response();
      expect([status, headers.get('connection')]).toEqual([200, expected]);
      stop();
    }
  });

  it('takes the rest of a body whose head it had accepted', async () => {
    const { app, release, close } = await startSlowApp();
    const client = await openClient(app);
    const request = once(app.server, 'request');
    client.write('PUT /classify HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na');
    await request;
    const { closed } = await close();
    client.write('bc');
    release();
    expect((await client.response()).status).toBe(200);
    await client.closed;
    await closed;
  });
});
