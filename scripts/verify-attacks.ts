/**
 * `npm run verify:attacks`: what hostile and broken clients do to the built server, and whether everybody else is still
 * answered. Fails with the first attack that does harm.
 */
import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import sharp from 'sharp';
import { withScans } from '../test/image/pictures.ts';
import { type BuiltServer, startBuiltServer } from './built-server.ts';

const photograph = await readFile(new URL('../examples/stop_sign.jpg', import.meta.url));
const maxRequests = 16;

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
}

/** Sends a body on a connection of its own. */
function send(
  { port }: BuiltServer,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, method: 'PUT', path: '/classify', agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode!, ...(response.statusCode !== 200 && JSON.parse(text)) });
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function othersAreAnswered(server: BuiltServer): Promise<void> {
  equal((await send(server, photograph)).status, 200);
  equal((await fetch(`${server.url}/readyz`)).status, 200);
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Forms whose part has no header: parsers have been seen to wait for ever. */
async function forms(server: BuiltServer): Promise<void> {
  const form = Buffer.concat([
    Buffer.from('--X\r\n\r\n'),
    Buffer.alloc(22_542, 'a'),
    Buffer.from('\r\n--X--\r\n'),
  ]);
  const headers = { 'content-type': 'multipart/form-data; boundary=X' };
  const answers = await Promise.all(Array.from({ length: maxRequests }, () => send(server, form, headers)));
  for (const { status, code } of answers) ok(status === 400 || code === 'QUEUE_FULL');
}

/** As many uploads of a byte a second as there are places. */
async function tricklers(server: BuiltServer): Promise<void> {
  const head = 'PUT /classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n';
  const sockets: Socket[] = [];
  for (let i = 0; i < maxRequests; i++) {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(head));
    socket.on('error', () => undefined).on('data', () => undefined);
    sockets.push(socket);
  }
  await wait(1500); // everybody has a second to show how fast he is
  try {
    // From the tricklers' own address there is room again as soon as they are known to be slow.
    let status = 0;
    for (let tries = 0; tries < maxRequests && status !== 200; tries++)
      ({ status } = await send(server, photograph));
    equal(status, 200);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** Small files that would cost seconds. */
async function costlyPictures(server: BuiltServer): Promise<void> {
  const side = 7000;
  const progressive = await sharp({ create: { width: side, height: side, channels: 3, background: 'white' } })
    .jpeg({ progressive: true })
    .toBuffer();
  const line = await sharp({ create: { width: 1, height: 2_000_000, channels: 3, background: 'white' } })
    .png()
    .toBuffer();
  for (const picture of [withScans(progressive, 800), line])
    equal((await send(server, picture)).code, 'IMAGE_TOO_COMPLEX');
  // Within the bounds, and still too long for DECODE_TIMEOUT_MS: its decoder is ended, others go on.
  const held = Array.from({ length: 4 }, () => send(server, withScans(progressive, 35)));
  equal((await send(server, photograph)).status, 200);
  for (const { status } of await Promise.all(held)) ok([200, 413, 422, 504].includes(status));
}

/** Damaged files of four formats at once: each is told its own reason. */
async function damagedPictures(server: BuiltServer): Promise<void> {
  const files = await Promise.all(
    (['jpeg', 'png', 'tiff', 'gif'] as const).map(async (format) => {
      const bytes = await sharp(photograph).toFormat(format).toBuffer();
      return bytes.subarray(0, bytes.length / 2);
    }),
  );
  const alone: Answer[] = [];
  for (const file of files) alone.push(await send(server, file));
  for (const { status } of alone) equal(status, 422);
  const together = await Promise.all(files.flatMap((file) => [send(server, file), send(server, file)]));
  deepStrictEqual(
    together.map(({ message }) => message),
    alone.flatMap(({ message }) => [message, message]),
  );
}

/** A page of a stranger, and a name that a stranger lets point here. */
async function strangers(server: BuiltServer): Promise<void> {
  equal((await send(server, photograph, { origin: 'https://stranger.example' })).code, 'ORIGIN_REFUSED');
  equal((await send(server, photograph, { host: 'stranger.example' })).code, 'UNKNOWN_HOST');
}

/** The engine host is stopped in the middle of its work: it neither dies nor answers. */
async function hungHost(server: BuiltServer): Promise<void> {
  const children = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(server.pid)], {
    encoding: 'utf8',
  });
  const [pid] = /^\s*(\d+).*hosts\/host\.js/m.exec(children)!.slice(1);
  process.kill(Number(pid), 'SIGSTOP');
  for (const { status } of await Promise.all([1, 2, 3].map(() => send(server, photograph))))
    equal(status, 200);
}

/** SIGTERM while requests come: each is answered, with a picture's classes or with a reason of ours. */
async function stopUnderLoad(server: BuiltServer): Promise<void> {
  let stopping = false;
  let answered = 0;
  const clients = Array.from({ length: 4 }, async () => {
    while (!stopping) {
      const { status, code } = await send(server, photograph).catch((error: NodeJS.ErrnoException) => {
        // Only a connection that was never accepted may fail.
        if (error.code === 'ECONNREFUSED') return { status: 0, code: 'REFUSED' };
        throw error;
      });
      if (status === 0) return;
      ok(status === 200 || code !== undefined, `status ${status} without a code`);
      answered++;
    }
  });
  await wait(500);
  const exit = await server.stop();
  stopping = true;
  await Promise.all(clients);
  equal(exit, 0);
  ok(answered > 0);
}

const server = await startBuiltServer({
  MAX_REQUESTS: String(maxRequests),
  DECODERS: '2',
  DECODE_TIMEOUT_MS: '1500',
  SHUTDOWN_DELAY_MS: '200',
  LOG_LEVEL: 'warn',
});
try {
  for (const attack of [forms, tricklers, costlyPictures, damagedPictures, strangers, hungHost]) {
    await attack(server);
    await othersAreAnswered(server);
    console.log(`${attack.name}: no harm`);
  }
  await stopUnderLoad(server);
  console.log('stopUnderLoad: nothing lost');
} finally {
  server.kill();
}
