import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { writeEnsembleVersion } from '../../src/ensembles/write.ts';
import type { NetworkSpec } from '../../src/network/architecture.ts';
import { hashedWeights } from '../../src/network/hashed.ts';
import type { Weights } from '../../src/network/weights.ts';
import { serialiseWeights } from '../../src/safetensors/safetensors.ts';
import type { AnswerBody } from '../../src/server/schemas.ts';
import { messagesOf } from './messages.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let weights: string;
let picture: Buffer;
const children: ChildProcess[] = [];

/** A network whose box is the middle of every window, whatever is on it. */
function centralBoxes(spec: NetworkSpec): Weights {
  const weights = new Map(hashedWeights(spec, 200));
  weights.set('classifier.6.weight', { shape: [4, spec.fc], data: new Float32Array(4 * spec.fc) });
  return weights.set('classifier.6.bias', { shape: [4], data: new Float32Array(4).fill(0.5) });
}

beforeAll(async () => {
  weights = await mkdtemp(join(tmpdir(), 'verydeep-'));
  const network = (name: string, head: NetworkSpec['head'], stream: number) => {
    const spec: NetworkSpec = { architecture: 'A', width: 1 / 32, fc: 4, classes: 3, crop: 32, head };
    return {
      name,
      ...spec,
      preprocessing: {
        channelOrder: 'rgb' as const,
        scale: 1,
        mean: [120, 115, 105] as [number, number, number],
        std: [1, 1, 1] as [number, number, number],
      },
      trainingScale: { min: 32, max: 64 },
      provenance: { command: 'a test' },
      read: async () => serialiseWeights(head === 'scr' ? centralBoxes(spec) : hashedWeights(spec, stream)),
    };
  };
  await writeEnsembleVersion(weights, {
    ensemble: 'tiny',
    version: '1',
    labels: ['cat', 'dog', 'bird'],
    networks: [network('a', 'classes', 1), network('b', 'classes', 100), network('boxes', 'scr', 200)],
  });
  picture = await sharp({
    create: { width: 48, height: 40, channels: 3, background: { r: 200, g: 80, b: 30 } },
  })
    .jpeg()
    .toBuffer();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rm(weights, { recursive: true }));

function start(settings: Record<string, string>, ...argv: string[]): ChildProcess {
  const defaults = {
    WEIGHTS_DIR: weights,
    ENSEMBLE: 'tiny',
    ENGINE: 'reference',
    PORT: '0',
    SHUTDOWN_DELAY_MS: '0',
  };
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'serve', ...argv], {
    env: { ...process.env, ...defaults, ...settings },
  });
  children.push(child);
  return child;
}

/** The log's lines as they are written. */
async function* logOf(child: ChildProcess): AsyncGenerator<Record<string, unknown>> {
  for await (const line of createInterface(child.stdout!)) yield JSON.parse(line) as Record<string, unknown>;
}

async function until(log: AsyncGenerator<Record<string, unknown>>, message: string) {
  for (;;) {
    const { value, done } = await log.next();
    if (done) throw new Error(`the process ended before "${message}"`);
    if (value.msg === message) return value;
  }
}

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
    expect(results[0]).toHaveProperty('detections.length', 3);

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
