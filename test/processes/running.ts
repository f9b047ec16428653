import { spawnSync } from 'node:child_process';

/** Whether a process is there, and not only as a zombie that nobody has waited for. */
export function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}
