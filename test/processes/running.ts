import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export type Child = ChildProcessByStdio<Writable, Readable, null>;

/** Runs a program in TypeScript that prints a line when it has done its work, and waits for that line. */
export async function startChild(program: URL, ...argv: string[]): Promise<{ child: Child; line: string }> {
  const args = ['--import', 'tsx', fileURLToPath(program), ...argv];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return { child, line: String(line).trim() };
}

/** Whether a process is there, and not only as a zombie that nobody has waited for. */
export function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}
