import { parseArgs } from 'node:util';

export const help = `
verydeep serve: answers images over HTTP and WebSocket

Usage: verydeep serve

Settings come from the environment; the table in README.md lists them all. A wrong one stops the start.

Examples:
  verydeep serve
  HOST=0.0.0.0 PORT=80 verydeep serve
  ENSEMBLE=mine ENSEMBLE_VERSION=2 WEIGHTS_DIR=/srv/weights verydeep serve
  DEVICES=cuda:0,cuda:1 MAX_BATCH_GFLOPS=20000 verydeep serve

  curl -T photo.jpg http://127.0.0.1:8080/localise

SIGTERM and Ctrl-C answer what was accepted and stop; a second Ctrl-C stops at once.

Exit codes: 0 stopped, 1 could not start, 2 wrong use, 130 stopped at once.
`;

export async function run(argv: string[]): Promise<number> {
  parseArgs({ args: argv }); // there are none: everything is a setting
  // Heavy, and the help text does not need them.
  const { readSettings } = await import('../service/settings.ts');
  const settings = readSettings(process.env);
  const { startService } = await import('../service/start.ts');

  const signals = stopSignals();
  const service = await Promise.race([startService(settings), signals.first.then(() => undefined)]);
  if (service === undefined) return 0; // it did not listen yet: nothing was accepted
  // While it starts and after: whichever comes first. A start that fails throws here.
  const first = await Promise.race([service.ready.then(() => signals.first), signals.first]);
  const stopped = service.stop(first === 'SIGTERM' ? settings.shutdownDelayMs : 0).then(() => 0);
  return Promise.race([stopped, after(settings.shutdownTimeoutMs, 0), signals.interrupted.then(() => 130)]);
}

// --- helpers ---

/** The first signal to stop, and the Ctrl-C after it. */
function stopSignals(): { first: Promise<'SIGTERM' | 'SIGINT'>; interrupted: Promise<void> } {
  let interrupt: () => void;
  const interrupted = new Promise<void>((resolve) => {
    interrupt = resolve;
  });
  const first = new Promise<'SIGTERM' | 'SIGINT'>((resolve) => {
    let stopping = false;
    const stop = (signal: 'SIGTERM' | 'SIGINT'): void => {
      if (stopping && signal === 'SIGINT') interrupt();
      stopping = true;
      resolve(signal);
    };
    process.on('SIGTERM', () => stop('SIGTERM'));
    process.on('SIGINT', () => stop('SIGINT'));
  });
  return { first, interrupted };
}

function after(ms: number, code: number): Promise<number> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(code), ms).unref();
  });
}
