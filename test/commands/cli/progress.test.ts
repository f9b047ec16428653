import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgress } from '../../../src/commands/cli/progress.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What a progress writes to a terminal, or to a file. */
function output(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  const texts: string[] = [];
  stream.on('data', (bytes: Buffer) => texts.push(bytes.toString()));
  return { stream: stream as unknown as NodeJS.WriteStream, texts };
}

describe.each([
  [true, /evaluate .* 540\/700 ETA 2m40s/],
  [false, /evaluate 540\/700 ETA 3 min/],
])('progress (terminal: %s)', (isTTY, line) => {
  it('knows the time left, of this run alone where an earlier one did a part', async () => {
    const { stream, texts } = output(isTTY);
    const progress = createProgress('evaluate', 700, stream);
    progress.update(500);
    await vi.advanceTimersByTimeAsync(20_000);
    progress.update(520);
    await vi.advanceTimersByTimeAsync(20_000);
    progress.update(540);
    await vi.advanceTimersByTimeAsync(1000);
    progress.stop();
    expect(texts.join('\n')).toMatch(line);
  });
});
