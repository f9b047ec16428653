import { Presets, SingleBar } from 'cli-progress';

/** Shows how far a long command is. */
export interface Progress {
  /** `note` stands behind the bar: `312 images/s`. */
  update(done: number, note?: string): void;
  /** Prints a line above the bar. */
  line(text: string): void;
  stop(): void;
}

/** Time between lines if there is no terminal. */
const plainIntervalMs = 30_000;

/**
 * A bar with the time left on a terminal; a plain line every half minute where the output is a file or a pipe. Everything
 * goes to the standard error, so that the standard output holds the command's answer alone.
 */
export function createProgress(
  name: string,
  total: number,
  output: NodeJS.WriteStream = process.stderr,
): Progress {
  return output.isTTY ? bar(name, total, output) : plainLines(name, total, output);
}

/** `95 s`, `12 min`, `3.4 h`. */
export function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  return seconds < 6000 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

// --- helpers ---

function bar(name: string, total: number, stream: NodeJS.WriteStream): Progress {
  const shown = new SingleBar(
    {
      stream,
      format: `${name} {bar} {value}/{total} ETA {eta_formatted} {note}`,
      clearOnComplete: true,
      hideCursor: true,
    },
    Presets.shades_classic,
  );
  return {
    update(done, note = '') {
      // It counts from the first update: what an earlier run did took no time in this one.
      if (shown.isActive) shown.update(done, { note });
      else shown.start(total, done, { note });
    },
    line(text) {
      stream.write(`\r\u001b[K${text}\n`); // clears the bar's line; the bar is drawn again below
      if (shown.isActive) shown.render();
    },
    stop: () => shown.stop(),
  };
}

function plainLines(name: string, total: number, stream: NodeJS.WriteStream): Progress {
  let printedAt = performance.now();
  let first: { readonly done: number; readonly at: number } | undefined;
  return {
    update(done, note = '') {
      const now = performance.now();
      first ??= { done, at: now };
      if (now - printedAt < plainIntervalMs) return;
      printedAt = now;
      // Counted from the first update: what an earlier run did took no time in this one.
      const secondsEach = (now - first.at) / 1000 / (done - first.done);
      const left = Number.isFinite(secondsEach) ? `ETA ${duration((total - done) * secondsEach)} ` : '';
      stream.write(`${name} ${done}/${total} ${left}${note}\n`);
    },
    line: (text) => void stream.write(`${text}\n`),
    stop: () => undefined,
  };
}
