import { VerydeepError } from '../errors.ts';

/** Kinds of devices as users write them; `N` is the number of a device. */
const spelling = { cpu: 'cpu', cuda: 'cuda:N', tensorrt: 'tensorrt:N', webgpu: 'webgpu' } as const;

export type DeviceKind = keyof typeof spelling;

export const deviceKinds = Object.keys(spelling) as DeviceKind[];

/** Where a host, or a training step, computes. */
export type Device = 'cpu' | 'webgpu' | `cuda:${number}` | `tensorrt:${number}`;

/** One engine host: its device, and the threads that it may use on the CPU. */
export interface HostPlacement {
  readonly device: Device;
  readonly threads: number;
}

/**
 * Parses a list of devices, one host each: `cpu`, `cuda:0,cuda:1`, `tensorrt:0`, `webgpu`. Only `cpu` may stand there
 * more than once (its hosts share the cores). Throws INVALID_SETTINGS.
 */
export function parseDevices(text: string): Device[] {
  const devices = text.split(',').map((part) => part.trim());
  devices.forEach((device, i) => {
    if (!isDevice(device)) {
      throw invalidDevices(`received "${device}" in "${text}"`);
    }
    if (device !== 'cpu' && devices.indexOf(device) !== i) {
      throw invalidDevices(`received ${device} twice in "${text}" (only cpu may be repeated)`);
    }
  });
  return devices as Device[];
}

/**
 * Divides `threads` among the cpu hosts as evenly as it goes, at least one each; a host of another device only feeds
 * it and gets one.
 */
export function placeHosts(devices: readonly Device[], threads: number): HostPlacement[] {
  const hosts = devices.filter((device) => device === 'cpu').length;
  let index = 0;
  return devices.map((device) => {
    if (device !== 'cpu') return { device, threads: 1 };
    const share = Math.floor(threads / hosts) + (index++ < threads % hosts ? 1 : 0);
    return { device, threads: Math.max(1, share) };
  });
}

export function isDevice(value: unknown): value is Device {
  return typeof value === 'string' && /^(cpu|webgpu|(cuda|tensorrt):(0|[1-9]\d?))$/.test(value);
}

export function kindOf(device: Device): DeviceKind {
  return device.split(':')[0] as DeviceKind;
}

/** `cpu or cuda:N`: each of the kinds once, in the order of all kinds. */
export function kindsInWords(kinds: readonly string[]): string {
  return deviceKinds
    .filter((kind) => kinds.includes(kind))
    .map((kind) => spelling[kind])
    .join(' or ');
}

// --- helpers ---

function invalidDevices(received: string): VerydeepError {
  return new VerydeepError(
    'INVALID_SETTINGS',
    `devices: expected a list of cpu, cuda:N, tensorrt:N or webgpu, for instance "cuda:0,cuda:1"; ${received}`,
  );
}
