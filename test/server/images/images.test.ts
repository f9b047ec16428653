import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { deferred } from '../../deferred.ts';
import { heldRun, limits, multipartOf, plainRun, startApp } from '../app-under-test.ts';

describe('one image', () => {
  it('is answered with classes, model, plan and timing', async () => {
    const { app } = await startApp();
    const response = await app.inject({
      method: 'POST',
      url: '/classify?top=1&scales=32,64&flip=false&networks=e',
      payload: Buffer.from('abcd'),
      headers: { 'content-type': 'image/jpeg' },
    });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({
      results: [
        {
          name: 'image',
          width: 4,
          height: 1,
          classes: [{ index: 0, label: 'cat', probability: 0.333333 }],
        },
      ],
      model: { ensemble: 'tiny', version: '3', networks: ['e'], digest: `sha256:${'ab'.repeat(32)}` },
      plan: { scales: [32, 64], flip: false, view: 'dense' },
      timing: { decodeMs: 1.23, queueMs: 0.5, inferenceMs: 10, totalMs: expect.any(Number) },
    });
    expect(response.headers['server-timing']).toMatch(
      /^decode;dur=1\.23, queue;dur=0\.5, inference;dur=10, total;dur=/,
    );
  });

  it.each([
    'scales=32,64&networks=d,e',
    'scales=32&scales=64&networks=d&networks=e',
    'scales=32,64&networks=d&networks=e',
  ])('has its lists as commas or as repeated keys: %s', async (query) => {
    const { app } = await startApp();
    const response = await app.inject({
      method: 'PUT',
      url: `/classify?${query}`,
      payload: Buffer.from('a'),
    });
    expect(response.json()).toMatchObject({
      plan: { scales: [32, 64] },
      model: { networks: ['d', 'e'] },
    });
  });

  it.each([
    'image/jpeg',
    'image/x-anything',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
    undefined,
  ])('comes as %s, by POST or PUT', async (type) => {
    const { app } = await startApp();
    for (const method of ['POST', 'PUT'] as const) {
      const headers = { 'content-length': '3', ...(type && { 'content-type': type }) };
      const { statusCode } = await app.inject({
        method,
        url: '/classify',
        payload: Buffer.from('abc'),
        headers,
      });
      expect(statusCode).toBe(200);
    }
  });

  it('is localised', async () => {
    const { app } = await startApp();
    const { results } = (
      await app.inject({ method: 'PUT', url: '/localise?boxes=all', payload: Buffer.from('abc') })
    ).json();
    expect(results[0].detections[0]).toEqual({
      index: 0,
      label: 'cat',
      probability: 0.333333,
      score: 0.6667,
      windows: 2,
      box: { x: 0.12, y: 1, width: 2, height: 3 },
    });
  });

  it('has its score maps where they are asked for', async () => {
    const { app } = await startApp();
    const { results } = (
      await app.inject({ method: 'PUT', url: '/classify?maps=true', payload: Buffer.from('abc') })
    ).json();
    expect(results[0].maps).toEqual([{ index: 0, scale: 32, height: 1, width: 2, values: [0.25, 0.5] }]);
  });

  it.each([
    ['bad', 422, 'CORRUPT_IMAGE', 'half a picture'],
    ['full', 429, 'QUEUE_FULL', 'the queue is full'],
    ['lost', 503, 'ENGINE_LOST', 'the engine stopped'],
    ['bug', 500, 'INTERNAL', 'internal error'],
    ['', 400, 'NO_IMAGE', 'expected an image'],
    ['x'.repeat(1001), 413, 'FILE_TOO_LARGE', 'expected a file of at most 1000 bytes, received 1001'],
  ])('"%.4s" is answered with its error', async (bytes, statusCode, code, message) => {
    const { app } = await startApp();
    const response = await app.inject({ method: 'POST', url: '/classify', payload: Buffer.from(bytes) });
    expect(response.json()).toMatchObject({ statusCode, code });
    expect(response.statusCode).toBe(statusCode);
    expect(response.json().message).toContain(message);
    expect(response.body).not.toMatch(/4711|passwd/);
    const retryAfter = { 429: '3', 503: '1' }[statusCode];
    expect(response.headers['retry-after']).toBe(retryAfter);
  });

  it('as JSON is refused with a word on how to send it', async () => {
    const { app } = await startApp();
    const response = await app.inject({ method: 'POST', url: '/classify', payload: { image: 'abc' } });
    expect(response.statusCode).toBe(415);
    expect(response.json()).toMatchObject({
      code: 'UNSUPPORTED_IMAGE',
      message: expect.stringContaining('curl -T'),
    });
  });

  it('that is empty is missed, whatever its type', async () => {
    const { app } = await startApp();
    for (const type of ['image/jpeg', 'text/plain', 'application/json']) {
      const headers = { 'content-type': type, 'content-length': '0' };
      const response = await app.inject({ method: 'POST', url: '/classify', headers });
      expect(response.json()).toMatchObject({ statusCode: 400, code: 'NO_IMAGE' });
    }
  });

  it('is dropped when its sender goes away', async () => {
    const aborted = deferred<unknown>();
    const running = deferred();
    const { app } = await startApp({
      run: (_bytes, _options, { signal }) => {
        running.resolve();
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted.resolve(signal.reason);
            reject(signal.reason as Error);
          });
        });
      },
    });
    const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
    await running.promise;
    socket.destroy();
    expect(await aborted.promise).toMatchObject({ code: 'REQUEST_CANCELLED' });
  });

  it('waits for its deadline or less', async () => {
    let leftMs = 0;
    const { app } = await startApp({
      run: (bytes, options, context) => {
        leftMs = context.deadline - performance.now();
        return plainRun(bytes, options, context);
      },
    });
    await app.inject({ method: 'PUT', url: '/classify?timeoutMs=1000', payload: Buffer.from('abc') });
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(1000);
  });

  it('is refused before it is read when too many are there', async () => {
    const held = heldRun();
    const { app } = await startApp({ limits: { maxRequests: 1 }, run: held.run });
    const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/classify`;
    const first = fetch(url, { method: 'POST', body: 'abc', headers: { 'content-type': 'image/png' } });
    await held.running;
    const second = await fetch(url, { method: 'POST', body: 'abc' });
    expect(second.status).toBe(429);
    expect(second.headers.get('retry-after')).toBe('1');
    held.release();
    expect((await first).status).toBe(200);
    await (await first).arrayBuffer();
    const third = await fetch(url, { method: 'POST', body: 'abc', headers: { 'content-type': 'image/png' } });
    expect(third.status).toBe(200);
  });
});

describe('many files', () => {
  it('are answered in their order, a bad one in its place', async () => {
    const { app } = await startApp();
    const files = [
      { name: 'a.jpg', bytes: 'aaaa' },
      { name: 'b.jpg', bytes: 'bad' },
      { name: 'c.jpg', bytes: 'x'.repeat(1001) },
      { name: 'd.jpg', bytes: 'bug' },
    ];
    const response = await app.inject({ method: 'POST', url: '/classify?top=1', ...multipartOf(files) });
    expect(response.statusCode).toBe(200);
    expect(response.json().results).toEqual([
      { name: 'a.jpg', width: 4, height: 1, classes: [{ index: 0, label: 'cat', probability: 0.333333 }] },
      { name: 'b.jpg', error: { code: 'CORRUPT_IMAGE', message: 'half a picture' } },
      {
        name: 'c.jpg',
        error: { code: 'FILE_TOO_LARGE', message: 'expected a file of at most 1000 bytes, received more' },
      },
      { name: 'd.jpg', error: { code: 'INTERNAL', message: expect.not.stringContaining('secret') } },
    ]);
  });

  it('are answered where none is good', async () => {
    const { app } = await startApp();
    const response = await app.inject({
      method: 'POST',
      url: '/classify',
      ...multipartOf([{ name: 'b.jpg', bytes: 'bad' }]),
    });
    expect(response.json()).toMatchObject({ results: [{ name: 'b.jpg', error: { code: 'CORRUPT_IMAGE' } }] });
    expect(response.json()).not.toHaveProperty('plan');
  });

  it('get 429 where all are refused for load', async () => {
    const { app } = await startApp();
    const full = { name: 'a.jpg', bytes: 'full' };
    const all = await app.inject({ method: 'POST', url: '/classify', ...multipartOf([full, full]) });
    expect(all.statusCode).toBe(429);
    expect(all.headers['retry-after']).toBe('3');
    const good = { name: 'b.jpg', bytes: 'good' };
    const some = await app.inject({ method: 'POST', url: '/classify', ...multipartOf([full, good]) });
    expect(some.statusCode).toBe(200);
  });

  it.each([
    [[], 400, 'NO_IMAGE'],
    [Array.from({ length: limits.maxFiles + 1 }, () => ({ name: 'a', bytes: 'abc' })), 413, 'TOO_MANY_FILES'],
  ])('%#: of a wrong number', async (files, statusCode, code) => {
    const { app } = await startApp();
    const response = await app.inject({ method: 'POST', url: '/classify', ...multipartOf(files) });
    expect(response.json()).toMatchObject({ statusCode, code });
  });

  it.each([
    [
      'half a body',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nabc',
      'MALFORMED_REQUEST',
    ],
    ['no boundary', 'multipart/form-data', 'abc', 'MALFORMED_REQUEST'],
    [
      'a field',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="top"\r\n\r\n3\r\n--b--\r\n',
      'INVALID_OPTION',
    ],
  ])('with %s are refused', async (_case, type, payload, code) => {
    const { app } = await startApp();
    const response = await app.inject({
      method: 'POST',
      url: '/classify',
      payload,
      headers: { 'content-type': type },
    });
    expect(response.json()).toMatchObject({ statusCode: 400, code });
  });

  it('over a socket: an answer comes although the rest of a refused body is still being sent', async () => {
    const { app } = await startApp();
    const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/classify`;
    const large = { name: 'a', bytes: 'x'.repeat(2_000_000) };
    const { payload, headers } = multipartOf(Array.from({ length: 6 }, () => large));
    const response = await fetch(url, { method: 'POST', body: payload, headers });
    expect(await response.json()).toMatchObject({ code: 'TOO_MANY_FILES' });
    const raw = await fetch(url, {
      method: 'POST',
      body: 'x'.repeat(10_000_000),
      headers: { 'content-type': 'image/png' },
    });
    expect(await raw.json()).toMatchObject({ code: 'FILE_TOO_LARGE' });
  });
});
