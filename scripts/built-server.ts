import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

/** The built server in a process of its own, as a user starts it. */
export interface BuiltServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Sends SIGTERM; the exit code, null if it was ended by a signal. */
  stop(): Promise<number | null>;
  /** At once, if it still runs. */
  kill(): void;
}

const builtMain = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** Starts `serve` of `main` and waits until it is ready. Throws what it wrote if it does not become so. */
export async function startBuiltServer(
  settings: Record<string, string> = {},
  main = builtMain,
): Promise<BuiltServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = spawn(process.execPath, [main, 'serve'], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: String(port), LOG_LEVEL: 'info', ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const log: string[] = [];
  server.stdout.setEncoding('utf8').on('data', (text: string) => log.push(text));
  const exited = once(server, 'exit') as Promise<[number | null]>;
  const deadline = performance.now() + 60_000;
  // Polls, since readiness is what a probe sees.
  while ((await fetch(`${url}/readyz`).catch(() => undefined))?.ok !== true) {
    if (performance.now() > deadline || server.exitCode !== null) {
      server.kill('SIGKILL');
      throw new Error(`the server did not become ready:\n${log.join('')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    port,
    pid: server.pid!,
    async stop() {
      server.kill('SIGTERM');
      return (await exited)[0];
    },
    kill: () => void server.kill('SIGKILL'),
  };
}
