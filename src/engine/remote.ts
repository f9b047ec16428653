import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { VerydeepError } from '../errors.ts';
import type { EngineOptions } from './create.ts';
import type { Engine } from './engine.ts';
import type { HostAnswer, HostCall, HostCalls } from './host-protocol.ts';

export interface RemoteEngineOptions extends EngineOptions {
  /** A host that has work and gives no answer for so long is killed. */
  readonly answerTimeoutMs: number;
}

/** An engine in a process of its own. */
export interface RemoteEngine extends Engine {
  readonly pid: number;
  /** Resident memory of the host at its last answer. */
  rssBytes(): number;
  /** Aborted, with the reason, as soon as the process is known to be lost, before any call rejects. */
  readonly lost: AbortSignal;
}

/**
 * Starts an engine host. Throws what the engine throws when it is created (DEVICE_UNAVAILABLE), or ENGINE_LOST.
 * When the host dies, all calls that wait for it reject with ENGINE_LOST at once.
 */
export async function createRemoteEngine(options: RemoteEngineOptions): Promise<RemoteEngine> {
  const { answerTimeoutMs, ...engineOptions } = options;
  const host = startHost(options.device, answerTimeoutMs);
  try {
    const capabilities = await host.call('create', engineOptions);
    return {
      capabilities,
      pid: host.pid,
      rssBytes: host.rssBytes,
      lost: host.lost,
      load: (network) => host.call('load', network),
      run: (batch) => host.call('run', batch),
      unload: (id) => host.call('unload', id),
      dispose: host.end,
    };
  } catch (error) {
    await host.end();
    throw error;
  }
}

// --- helpers ---

interface Pending {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: VerydeepError) => void;
}

function startHost(device: string, answerTimeoutMs: number) {
  const child = forkHost();
  const pending = new Map<number, Pending>();
  const loss = new AbortController();
  let nextId = 0;
  let rssBytes = 0;

  /** Counts from the last answer, or from the first request after a rest. */
  let watchdog: NodeJS.Timeout | undefined;
  const watch = (): void => {
    clearTimeout(watchdog);
    if (pending.size === 0) return;
    watchdog = setTimeout(() => lose(`gave no answer for ${answerTimeoutMs} ms`), answerTimeoutMs);
  };

  const lose = (reason: string): void => {
    if (loss.signal.aborted) return;
    loss.abort(`engine host of ${device} (process ${child.pid}) ${reason}`);
    child.kill('SIGKILL');
    clearTimeout(watchdog);
    for (const { reject } of pending.values()) reject(lostError());
    pending.clear();
  };
  const lostError = (): VerydeepError => new VerydeepError('ENGINE_LOST', loss.signal.reason);

  /** The last that native code has said, often the reason of its death. */
  let lastWords = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    lastWords = text.trim().split('\n').at(-1)!.slice(0, 500);
  });

  const ended = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      const how = signal ? `was ended by ${signal}` : `exited with code ${code}`;
      lose(lastWords === '' ? how : `${how}: ${lastWords}`);
      resolve();
    });
    child.once('error', (error) => {
      lose(`failed: ${error.message}`);
      if (child.pid === undefined) resolve(); // could not be started: no close follows
    });
  });

  child.on('message', ({ id, rssBytes: now, answer, error }: HostAnswer) => {
    rssBytes = now;
    const call = pending.get(id);
    pending.delete(id);
    watch();
    if (error) call?.reject(new VerydeepError(error.code, error.message));
    else call?.resolve(answer as never);
  });

  return {
    pid: child.pid ?? -1,
    rssBytes: () => rssBytes,
    lost: loss.signal,
    call: <Call extends HostCall>(call: Call, argument: HostCalls[Call]['argument']) =>
      new Promise<HostCalls[Call]['answer']>((resolve, reject) => {
        if (loss.signal.aborted) return reject(lostError());
        const id = nextId++;
        pending.set(id, { resolve, reject });
        if (pending.size === 1) watch();
        child.send({ id, call, argument }, (error) => {
          if (error) lose(`cannot be reached: ${error.message}`);
        });
      }),
    /** Nothing in a host outlives it, so it is ended as surely as can be, in the middle of a run as well. */
    async end() {
      lose('was shut down');
      await ended;
    },
  };
}

/** Runs `host.ts` (through tsx) when this file is TypeScript, `host.js` when it is built. */
function forkHost(): ChildProcess {
  const fromSource = import.meta.url.endsWith('.ts');
  const loader = () => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return fork(fileURLToPath(new URL(fromSource ? './host.ts' : './host.js', import.meta.url)), {
    execArgv: fromSource ? ['--import', loader()] : [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}
