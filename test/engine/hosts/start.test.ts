import { expect, it } from 'vitest';
import { startHosts } from '../../../src/engine/hosts/start.ts';

it('auto does not fall back from a library that was named and is not there', async () => {
  const starting = startHosts({
    engine: 'auto',
    devices: 'cpu',
    threads: 1,
    onednnLibrary: '/nowhere/libdnnl.so',
  });
  await expect(starting).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
});

it.each([
  ['onnx', 'cpu'],
  ['reference', 'cpu'],
  ['auto', 'cuda:0'],
] as const)('bf16 is refused where %s on %s would compute in fp32', async (engine, devices) => {
  const starting = startHosts({ engine, devices, threads: 1, precision: 'bf16' });
  await expect(starting).rejects.toMatchObject({
    code: 'INVALID_SETTINGS',
    message: `precision: expected fp32 with engine ${engine} on ${devices}; received bf16, which is oneDNN's on cpu`,
  });
});
