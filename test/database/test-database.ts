import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Database } from '../../src/database/database.ts';
import { openEmbedded } from '../../src/database/embedded.ts';
import { openPostgres } from '../../src/database/postgres.ts';

/** A real database that a suite has to itself, and can take away. */
export interface TestDatabase {
  /** A replica's own way to it. */
  connect(): Database;
  /** Whoever uses it is cut off; what was committed stays. */
  interrupt(): Promise<void>;
  /** It can be reached again. */
  restore(): Promise<void>;
  end(): Promise<void>;
}

/** Its process is killed by an interruption; it starts again when it is next asked. Replicas share it in these tests. */
export async function startEmbedded(): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'verydeep-'));
  const database = await openEmbedded(folder);
  return {
    connect: () => ({ ...database, exclusive: false, close: async () => undefined }),
    interrupt: async () => void process.kill(processOf(folder), 'SIGKILL'),
    restore: async () => undefined,
    async end() {
      await database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The process that has an embedded database open. */
export function processOf(folder: string): number {
  const holder = readFileSync(join(folder, 'database.lock'), 'utf8');
  return Number(/its database is process (\d+)/.exec(holder)![1]);
}

/** An empty database on the server at `url`, behind a proxy that an interruption closes. */
export async function startPostgres(url: string): Promise<TestDatabase> {
  const name = `verydeep_test_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client(url);
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const { host, port, user = '', password } = admin;
  const proxy = await startProxy(
    host.startsWith('/') ? { path: join(host, `.s.PGSQL.${port}`) } : { host, port },
  );
  const credentials = `${encodeURIComponent(user)}:${encodeURIComponent(password ?? '')}`;
  return {
    connect: () => openPostgres(`postgres://${credentials}@127.0.0.1:${proxy.port}/${name}`),
    interrupt: proxy.close,
    restore: proxy.open,
    async end() {
      await proxy.close();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

// --- helpers ---

async function startProxy(target: NetConnectOpts) {
  const sockets = new Set<Socket>();
  let server: Server;
  let port = 0;
  const open = async (): Promise<void> => {
    server = createServer((near) => {
      const far = connect(target);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.on('error', () => undefined);
        from.on('close', () => {
          sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as { port: number }).port;
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await open();
  return { open, close, port };
}
