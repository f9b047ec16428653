import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) killGroup(child);
});

/** The end of a service and all its processes, as in a power cut. */
export function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGKILL');
  } catch {
    // It has gone already, and nobody of it is left.
  }
}

/** `verydeep serve` with ensemble `tiny`, on a port that is free, in a process group of its own; killed after the test. */
export function serve(settings: Record<string, string>, ...argv: string[]): ChildProcess {
  const defaults = { ENSEMBLE: 'tiny', ENGINE: 'reference', PORT: '0', SHUTDOWN_DELAY_MS: '0' };
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'serve', ...argv], {
    env: { ...process.env, ...defaults, ...settings },
    detached: true,
  });
  children.push(child);
  return child;
}

export type Log = AsyncGenerator<Record<string, unknown>>;

/** The log's lines as they are written. */
export async function* logOf(child: ChildProcess): Log {
  for await (const line of createInterface(child.stdout!)) yield JSON.parse(line) as Record<string, unknown>;
}

/** The next line with this message, or with one that matches. */
export async function until(log: Log, message: string | RegExp): Promise<Record<string, unknown>> {
  for (;;) {
    const { value, done } = await log.next();
    if (done) throw new Error(`the process ended before "${message}"`);
    const { msg } = value;
    if (msg === message || (message instanceof RegExp && message.test(String(msg)))) return value;
  }
}
