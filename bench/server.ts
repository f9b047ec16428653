import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../scripts/free-port.ts';

/** A running `verydeep serve`. */
export interface Server {
  readonly url: string;
  /** Resident bytes of the server and of all its engine hosts. */
  memory(): { serverBytes: number; hostBytes: number };
  stop(): Promise<void>;
}

/** Starts the service as a user would, in its own process, and waits until it is ready. */
export async function startServer(settings: Record<string, string>): Promise<Server> {
  const port = await freePort();
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'serve'], {
    env: { ...process.env, PORT: String(port), LOG_LEVEL: 'error', ...settings },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  const ready = async (): Promise<boolean> =>
    (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200;
  while (!(await ready())) {
    if (child.exitCode !== null) throw new Error(`the server ended with code ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {
    url,
    memory: () => ({ serverBytes: rssBytes('-p', child.pid!), hostBytes: rssBytes('--ppid', child.pid!) }),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

// --- helpers ---

/** Sum over the processes that `ps` selects, in bytes. */
function rssBytes(select: '-p' | '--ppid', pid: number): number {
  const kibibytes = execFileSync('ps', ['-o', 'rss=', select, String(pid)], { encoding: 'utf8' });
  return kibibytes.split('\n').reduce((sum, line) => sum + 1024 * Number(line), 0);
}
