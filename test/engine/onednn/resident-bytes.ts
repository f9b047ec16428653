import { readFileSync } from 'node:fs';

/** Resident memory of this process, native allocations included. */
export function residentBytes(): number {
  return process.platform === 'linux'
    ? Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) * 4096
    : process.memoryUsage.rss();
}
