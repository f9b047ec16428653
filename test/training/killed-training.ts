/** A real `verydeep train` in a process of its own, which is killed as soon as something happens in its folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { readCheckpoint } from '../../src/training/checkpoint.ts';

export const checkpointOf = (out: string): string => join(out, 'checkpoint.safetensors');

/**
 * Runs `node PROGRAM --out OUT`, with `--resume` if there is a checkpoint. `kill` is asked at every change of a file in
 * the folder, which it gets by name; at its yes the process gets SIGKILL. Throws if it ends otherwise than well.
 */
export async function trainUntil(
  program: readonly string[],
  out: string,
  kill: (file: string) => boolean = () => false,
): Promise<'killed' | 'done'> {
  mkdirSync(out, { recursive: true });
  const resume = existsSync(checkpointOf(out)) ? ['--resume'] : [];
  const child = spawn(process.execPath, [...program, '--out', out, ...resume], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const watcher = watch(out, (_, file) => {
    if (kill(file ?? '')) child.kill('SIGKILL');
  });
  try {
    const [errors, [code, signal]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    if (signal === 'SIGKILL') return 'killed';
    if (code !== 0) throw new Error(`the training ended with ${code ?? signal}:\n${errors}`);
    return 'done';
  } finally {
    watcher.close();
  }
}

/** The last good checkpoint's digest, checked; `undefined` before the first one. */
export async function digestIn(out: string): Promise<string | undefined> {
  return existsSync(checkpointOf(out)) ? (await readCheckpoint(checkpointOf(out))).digest : undefined;
}

/** Files that were not whole when the process was killed. */
export function unfinishedIn(out: string): string[] {
  return readdirSync(out).filter((name) => name.endsWith('.tmp'));
}
