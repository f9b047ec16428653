import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { AnswerBody } from '../../src/server/images/schemas.ts';
import { writeTinyEnsemble } from '../ensembles/tiny.ts';
import { messagesOf } from '../server/stream/messages.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { logOf, serve, until } from './serve-process.ts';

const weights = temporaryFolder();
let picture: Buffer;

beforeAll(async () => {
  await writeTinyEnsemble(weights);
  picture = await sharp({
    create: { width: 48, height: 40, channels: 3, background: { r: 200, g: 80, b: 30 } },
  })
    .jpeg()
    .toBuffer();
});

const start = (settings: Record<string, string>, ...argv: string[]): ChildProcess =>
  serve({ WEIGHTS_DIR: weights, ...settings }, ...argv);

async function localise(address: string): Promise<AnswerBody> {
  const body = picture as Uint8Array<ArrayBuffer>;
  const response = await fetch(`${address}/localise`, { method: 'PUT', body });
  expect(response.status).toBe(200);
  return (await response.json()) as AnswerBody;
}

describe('verydeep serve', () => {
  it('answers a real picture over HTTP and WebSocket, survives its host, and ends with 0', async () => {
    const child = start({});
    const log = logOf(child);
    const { hostPid } = await until(log, 'engine host ready');
    const ready = await until(log, 'ready');
    expect(ready).toMatchObject({ engine: 'reference', device: 'cpu', ensemble: 'tiny', version: '1' });
    const address = ready.address as string;
    expect((await fetch(`${address}/readyz`)).status).toBe(200);

    const { results, plan } = await localise(address);
    expect(plan).toEqual({ scales: [32, 48, 64], flip: true, view: 'dense' });
    expect(results[0]).toMatchObject({ width: 48, height: 40 });
    expect(results[0]).toHaveProperty('detections.length', 5);

    const socket = new WebSocket(`${address.replace('http', 'ws')}/stream`);
    const messages = messagesOf(socket);
    expect(await messages.next()).toMatchObject({ type: 'hello' });
    socket.send('{"type":"image","id":"7","task":"localise"}');
    socket.send(picture);
    expect(await messages.next()).toMatchObject({ final: false });
    expect(await messages.next()).toMatchObject({ final: false });
    expect(await messages.next()).toEqual({
      type: 'result',
      id: '7',
      final: true,
      scalesDone: [32, 48, 64],
      result: results[0],
    });

    process.kill(hostPid as number, 'SIGKILL');
    await until(log, 'engine host lost');
    expect((await localise(address)).results).toEqual(results);

    const closed = once(socket, 'close');
    child.kill('SIGTERM');
    expect((await closed)[0]).toBe(1001);
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('says at its start what ENGINE=auto took', async () => {
    const child = start({ ENGINE: 'auto' });
    const log = logOf(child);
    const { msg } = await until(log, /^engine auto took/);
    const { engine } = await until(log, 'ready');
    expect(msg).toContain(`took ${engine}`);
    expect(msg).toContain('for cpu in fp32');
  });

  it('ends at once at the second Ctrl-C', async () => {
    const child = start({});
    const log = logOf(child);
    const { address } = await until(log, 'ready');
    // A request whose body never ends keeps the service from ending.
    const { port } = new URL(address as string);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write('POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc');
    await until(log, 'incoming request');
    child.kill('SIGINT');
    await until(log, 'stopping');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
  });

  it.each([
    [
      { PORT: 'x', BATCH_DELAY_MS: 'y' },
      [],
      1,
      /PORT: expected[\s\S]*BATCH_DELAY_MS: expected[\s\S]*INVALID_SETTINGS/,
    ],
    [{ HOST: '192.0.2.1' }, [], 1, /HOST, PORT: cannot listen on 192\.0\.2\.1/],
    [{}, ['--port=80'], 2, /--port/],
  ])('%j %j cannot start: exit code %i with the reason', async (settings, argv, code, reason) => {
    const child = start(settings, ...argv);
    const [stderr] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
    expect(stderr).toMatch(reason);
    expect(stderr).not.toMatch(/ at .*\.ts:/);
    expect(child.exitCode).toBe(code);
  });
});
