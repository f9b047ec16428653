import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Reads a file of /proc or /sys; `undefined` if it is not there. */
export type ReadText = (path: string) => string | undefined;

/**
 * Threads that compute without being throttled: the processors that this process may run on, or the CPU limit of its
 * control group (a container's `cpus`) if that is less, rounded down; at least 1.
 */
export function threadLimit(read: ReadText = readText, available: number = availableParallelism()): number {
  return Math.max(1, Math.floor(Math.min(available, ...cgroupLimits(read))));
}

// --- helpers ---

/**
 * CPU limits, in processors, of the process's control group and of every group above it: `cpu.max` ("QUOTA PERIOD" in
 * microseconds) in version 2, `cpu.cfs_quota_us` and `cpu.cfs_period_us` in version 1. A container sees its own group as
 * the root, so a path of /proc/self/cgroup need not exist under /sys/fs/cgroup.
 */
function cgroupLimits(read: ReadText): number[] {
  const limits: number[] = [];
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, id, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    for (const group of groupsFromRoot(path)) {
      if (id === '0') {
        const [quota, period] = (read(`/sys/fs/cgroup${group}/cpu.max`) ?? '').trim().split(' ');
        limits.push(limitOf(quota, period));
      } else if (controllers!.split(',').includes('cpu')) {
        const folder = `/sys/fs/cgroup/cpu${group}`;
        limits.push(limitOf(read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)));
      }
    }
  }
  return limits.filter(Number.isFinite);
}

/** `/a/b` gives the root (an empty path), `/a` and `/a/b`. */
function groupsFromRoot(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '');
  return ['', ...names.map((_, i) => `/${names.slice(0, i + 1).join('/')}`)];
}

/** Infinite if nothing limits: `max` in version 2, -1 in version 1, or no such file. */
function limitOf(quota: string | undefined, period: string | undefined): number {
  const limit = Number(quota) / Number(period);
  return limit > 0 ? limit : Number.POSITIVE_INFINITY;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // no such controller, or not Linux
  }
}
