import { describe, expect, it } from 'vitest';
import { parseDevices, placeHosts } from '../../src/engine/devices.ts';

describe('devices', () => {
  it.each([
    ['cpu', ['cpu']],
    ['cpu,cpu', ['cpu', 'cpu']],
    ['cuda:0, cuda:1', ['cuda:0', 'cuda:1']],
    ['tensorrt:0,cpu', ['tensorrt:0', 'cpu']],
    ['webgpu', ['webgpu']],
  ])('reads %s', (text, devices) => {
    expect(parseDevices(text)).toEqual(devices);
  });

  it.each([
    '',
    'gpu',
    'cuda',
    'cuda:',
    'cuda:-1',
    'cuda:x',
    'cuda:01',
    'CPU',
    'cpu,',
    'cpu:0',
    'cuda:0,cuda:0',
  ])('refuses "%s" and says what it expected', (text) => {
    expect(() => parseDevices(text)).toThrow(
      expect.objectContaining({
        code: 'INVALID_SETTINGS',
        message: expect.stringMatching(/expected .*cuda:N.*received/),
      }),
    );
  });

  it('divides the threads among the cpu hosts', () => {
    const threads = (devices: string, total: number) =>
      placeHosts(parseDevices(devices), total).map((host) => host.threads);
    expect(threads('cpu', 5)).toEqual([5]);
    expect(threads('cpu,cpu', 5)).toEqual([3, 2]);
    expect(threads('cpu,cpu,cpu', 2)).toEqual([1, 1, 1]);
    expect(threads('cuda:0,cpu,cuda:1', 8)).toEqual([1, 8, 1]);
  });
});
