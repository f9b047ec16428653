import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { deferred } from '../../deferred.ts';
import { ensemble, heldRun, plainRun, startApp } from '../app-under-test.ts';
import { messagesOf } from './messages.ts';

type App = Awaited<ReturnType<typeof startApp>>['app'];

/** A client that keeps what it has received. */
async function connect(app: App) {
  const address = app.server.listening ? undefined : await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = address ? new URL(address) : (app.server.address() as { port: number });
  const socket = new WebSocket(`ws://127.0.0.1:${port}/stream`);
  const messages = messagesOf(socket);
  const closed = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'open');
  return {
    socket,
    closed,
    next: messages.next,
    send(id: string, bytes: string | Buffer, more: object = {}) {
      socket.send(JSON.stringify({ type: 'image', id, task: 'classify', ...more }));
      socket.send(Buffer.from(bytes));
    },
  };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('GET /stream', () => {
  it('answers scale by scale, at last what REST answers', async () => {
    const { app } = await startApp();
    const client = await connect(app);
    expect(await client.next()).toEqual({
      type: 'hello',
      protocol: 1,
      credits: 2,
      model: { ensemble: 'tiny', version: '3', networks: ['d', 'e', 'boxes'], digest: ensemble.digest },
    });
    client.send('7', 'abcd', { top: 2 });
    const rest = await app.inject({ method: 'PUT', url: '/classify?top=2', payload: Buffer.from('abcd') });
    const result = rest.json().results[0];
    expect(await client.next()).toEqual({ type: 'result', id: '7', final: false, scalesDone: [32], result });
    expect(await client.next()).toEqual({
      type: 'result',
      id: '7',
      final: true,
      scalesDone: [32, 48],
      result,
    });
    expect(await client.next()).toEqual({ type: 'credit', credits: 1 });
    client.send('8', 'abcd', { scales: [32], task: 'localise' });
    expect(await client.next()).toMatchObject({ id: '8', final: true, result: { detections: [{}] } });
    client.socket.close();
  });

  it('never swaps answers', async () => {
    const { app } = await startApp({ limits: { streamCredits: 50 } });
    const client = await connect(app);
    await client.next();
    for (let i = 1; i <= 50; i++) client.send(String(i), 'x'.repeat(i), { scales: [32] });
    for (let i = 0; i < 100; i++) {
      const message = await client.next();
      if (message.type === 'result') expect(message.result.width).toBe(Number(message.id));
      else expect(message.type).toBe('credit');
    }
    client.socket.close();
  });

  it('closes on a file that is too large, and on a frame that is no UTF-8', async () => {
    const { app } = await startApp();
    const large = await connect(app);
    large.send('7', Buffer.alloc(1001));
    expect(await large.closed).toBe(1009);
    const garbled = await connect(app);
    garbled.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
    expect(await garbled.closed).toBe(1007);
  });

  it('drops the work of a client that has gone', async () => {
    const running = deferred();
    const aborted = deferred<unknown>();
    const { app } = await startApp({
      run: (_bytes, _options, { signal }) => {
        signal.addEventListener('abort', () => aborted.resolve(signal.reason));
        running.resolve();
        return new Promise(() => {});
      },
    });
    const client = await connect(app);
    client.send('7', 'abc');
    await running.promise;
    client.socket.terminate();
    expect(await aborted.promise).toMatchObject({ code: 'REQUEST_CANCELLED' });
  });

  it('closes a client that does not read', async () => {
    const values = Array.from({ length: 200_000 }, () => 0.123456);
    const { app, metrics } = await startApp({
      limits: { streamCredits: 100 },
      run: async (...call) => {
        const answer = await plainRun(...call);
        const maps = [{ index: 0, scale: 32, height: 1, width: values.length, values }];
        return { ...answer, result: { ...answer.result, maps } };
      },
    });
    const client = await connect(app);
    client.socket.pause();
    for (let i = 0; i < 40; i++) client.send(String(i), 'abc', { scales: [32] });
    // Nothing reads: only the server can notice.
    const [server] = [...app.websocketServer.clients];
    const closed = once(server!, 'close');
    while (server!.readyState === WebSocket.OPEN) await new Promise((resolve) => setImmediate(resolve));
    client.socket.resume();
    expect(await client.closed).toBe(1013);
    await closed;
    expect(await metrics.registry.metrics()).toContain('verydeep_stream_closes_total{code="1013"} 1');
  });

  it('answers what it has accepted before it closes with 1001', async () => {
    const held = heldRun();
    const { app } = await startApp({ run: held.run });
    const client = await connect(app);
    await client.next();
    client.send('7', 'abc', { scales: [32] });
    await held.running;
    const closing = app.close();
    held.release();
    expect(await client.next()).toMatchObject({ type: 'result', id: '7', final: true });
    expect(await client.closed).toBe(1001);
    await closing;
  });

  it('refuses one too many before it is upgraded, and takes it when there is room', async () => {
    const { app, metrics } = await startApp({ limits: { maxStreams: 2 } });
    const url = (await app.listen({ port: 0, host: '127.0.0.1' })).replace('http', 'ws');
    // All at once: those that come while others are upgraded count too.
    const sockets = Array.from({ length: 5 }, () => new WebSocket(`${url}/stream`));
    const outcomes = await Promise.all(
      sockets.map(
        (socket) =>
          new Promise<string>((resolve) => {
            socket.once('open', () => resolve('open'));
            socket.on('error', () => {}); // of those that are terminated before they were open
            socket.once('unexpected-response', (_request, { statusCode, headers }) =>
              resolve(`${statusCode} ${headers['retry-after']}`),
            );
          }),
      ),
    );
    expect(outcomes.sort()).toEqual(['429 1', '429 1', '429 1', 'open', 'open']);
    const text = await metrics.registry.metrics();
    expect(text).toContain('verydeep_stream_connections 2');
    expect(text).toContain('verydeep_stream_refusals_total 3');
    expect(text).toContain('verydeep_rejects_total{reason="QUEUE_FULL"} 3');

    const [server] = [...app.websocketServer.clients];
    const closed = once(server!, 'close');
    for (const socket of sockets) socket.terminate();
    await closed;
    expect(await (await connect(app)).next()).toMatchObject({ type: 'hello' });
  });

  it('cuts off a client that has gone without a word, not one that answers pings', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { app } = await startApp();
    const url = (await app.listen({ port: 0, host: '127.0.0.1' })).replace('http', 'ws');
    const silent = new WebSocket(`${url}/stream`, { autoPong: false });
    await once(silent, 'open');
    const [silentServer] = [...app.websocketServer.clients];
    const alive = await connect(app);
    const aliveServer = [...app.websocketServer.clients].find((client) => client !== silentServer)!;
    const [pinged, ponged] = [once(silent, 'ping'), once(aliveServer, 'pong')];
    vi.advanceTimersByTime(60_000);
    await Promise.all([pinged, ponged]);
    const cut = once(silent, 'close');
    vi.advanceTimersByTime(60_000);
    expect((await cut)[0]).toBe(1006);
    expect(alive.socket.readyState).toBe(WebSocket.OPEN);
    expect(aliveServer.readyState).toBe(WebSocket.OPEN);
    alive.socket.close();
  });

  it('is no other route', async () => {
    const { app } = await startApp();
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as { port: number };
    for (const path of ['classify', 'livez', 'nowhere', 'admin/jobs']) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/${path}`);
      const [error] = (await once(socket, 'error')) as [Error];
      expect(error.message).toBe('Unexpected server response: 404');
    }
  });

  it('says to a plain request that it is a WebSocket', async () => {
    const { app } = await startApp();
    const response = await app.inject('/stream');
    expect(response.json()).toMatchObject({ statusCode: 426, code: 'UPGRADE_REQUIRED' });
    expect(response.headers.upgrade).toBe('websocket');
  });
});
