import type { HostPlacement } from '../../../src/engine/devices.ts';
import type { Batch, NetworkSource } from '../../../src/engine/engine.ts';
import { createRemoteEngine, type RemoteEngine } from '../../../src/engine/hosts/remote.ts';
import type { NetworkSpec } from '../../../src/network/architecture.ts';
import { createRandom } from '../../../src/network/random.ts';
import { hashedWeights } from '../../network/hashed.ts';

export const cpu: HostPlacement = { device: 'cpu', threads: 1 };

/** A host with the reference engine. */
export function createHost(placement = cpu, answerTimeoutMs = 60_000): Promise<RemoteEngine> {
  return createRemoteEngine({
    ...placement,
    engine: 'reference',
    precision: 'fp32',
    sharedCores: true,
    answerTimeoutMs,
  });
}

/** A tiny network A; other streams have other weights. */
export function tinyNetwork(id: string, stream = 1): NetworkSource {
  const spec: NetworkSpec = {
    architecture: 'A',
    width: 1 / 16,
    fc: 8,
    classes: 5,
    crop: 32,
    head: 'classes',
  };
  const preprocessing = {
    channelOrder: 'rgb',
    scale: 1,
    mean: [120, 115, 105],
    std: [1, 1, 1],
  } as const;
  return { id, spec, preprocessing, weights: hashedWeights(spec, stream) };
}

/** One picture of noise for the networks of these ids. */
export function noise(networks: readonly string[], seed: number, side = 64): Batch {
  const random = createRandom(seed);
  const pixels = Uint8Array.from({ length: side * side * 3 }, () => random.integer(256));
  return { networks, pixels, count: 1, height: side, width: side, flip: true, maps: false };
}
