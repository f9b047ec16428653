import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../../src/server/operations/metrics.ts';

/** A response as it came over a socket. */
export interface RawResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A client that writes bytes as they are. */
export interface RawClient {
  readonly socket: Socket;
  write(bytes: string | Buffer): void;
  /** The next response; rejects when the connection ends or breaks before it is whole. */
  response(): Promise<RawResponse>;
  /** Fulfilled when the connection is closed, with the error that broke it, if any. */
  readonly closed: Promise<Error | undefined>;
}

export async function openClient(app: FastifyInstance): Promise<RawClient> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as { port: number };
  const socket = connect(port, '127.0.0.1');
  let received = Buffer.alloc(0);
  let broken: Error | undefined;
  const closed = new Promise<Error | undefined>((resolve) => socket.once('close', () => resolve(broken)));
  socket.on('error', (error) => {
    broken = error;
  });
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
  });
  await once(socket, 'connect');

  function take(): RawResponse | undefined {
    const end = received.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [first, ...lines] = received.toString('latin1', 0, end).split('\r\n');
    const headers = new Map(lines.map((line) => line.toLowerCase().split(': ', 2) as [string, string]));
    const length = Number(headers.get('content-length') ?? 0);
    if (received.length < end + 4 + length) return undefined;
    const body = received.toString('utf8', end + 4, end + 4 + length);
    received = received.subarray(end + 4 + length);
    return { status: Number(first!.split(' ')[1]), headers, body };
  }

  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    closed,
    async response() {
      for (;;) {
        const response = take();
        if (response) return response;
        if (socket.closed || socket.readableEnded) throw broken ?? new Error('no whole response came');
        await Promise.race([once(socket, 'data'), closed]);
      }
    },
  };
}

/** What `verydeep_rejects_total` has counted, by code. */
export async function rejects({ registry }: Metrics): Promise<Record<string, number>> {
  const { values } = await registry.getSingleMetric('verydeep_rejects_total')!.get();
  return Object.fromEntries(
    values.filter(({ value }) => value > 0).map(({ labels, value }) => [labels.reason, value]),
  );
}
