import { describe, expect, it } from 'vitest';
import { type ReadText, threadLimit } from '../../src/processes/threads.ts';

const files =
  (contents: Record<string, string>): ReadText =>
  (path) =>
    contents[path];

describe('threadLimit', () => {
  it('is the number of processors where nothing limits it', () => {
    expect(threadLimit(files({}), 6)).toBe(6);
    expect(
      threadLimit(files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }), 6),
    ).toBe(6);
  });

  it.each([
    ['200000 100000', 2],
    ['250000 100000', 2],
    ['50000 100000', 1],
    ['1600000 100000', 6],
  ])('follows cpu.max "%s" of a container', (cpuMax, expected) => {
    const read = files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': `${cpuMax}\n` });
    expect(threadLimit(read, 6)).toBe(expected);
  });

  it('takes the least limit on the way from the root', () => {
    const read = files({
      '/proc/self/cgroup': '0::/system.slice/verydeep.service\n',
      '/sys/fs/cgroup/system.slice/cpu.max': '300000 100000\n',
      '/sys/fs/cgroup/system.slice/verydeep.service/cpu.max': 'max 100000\n',
    });
    expect(threadLimit(read, 8)).toBe(3);
  });

  it('reads version 1', () => {
    const v1 = (quota: string) =>
      files({
        '/proc/self/cgroup': '5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n0::/\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': `${quota}\n`,
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      });
    expect(threadLimit(v1('400000'), 8)).toBe(4);
    expect(threadLimit(v1('-1'), 8)).toBe(8);
  });

  it('finds at least one thread on this machine', () => {
    expect(threadLimit()).toBeGreaterThanOrEqual(1);
  });
});
