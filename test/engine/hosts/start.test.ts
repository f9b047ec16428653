import { expect, it } from 'vitest';
import { startHosts } from '../../../src/engine/hosts/start.ts';
import { readSettings } from '../../../src/service/settings.ts';

it('auto does not fall back from a library that was named and is not there', async () => {
  const starting = startHosts({
    engine: 'auto',
    devices: 'cpu',
    threads: 1,
    libraryPath: '/nowhere/libdnnl.so',
  });
  await expect(starting).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
});

it('auto takes bf16 on several cpu hosts to oneDNN, as the settings do', async () => {
  const devices = 'cpu,cpu';
  expect(readSettings({ DEVICES: devices, ENGINE: 'auto', PRECISION: 'bf16' })).toMatchObject({ devices });
  const starting = startHosts({
    engine: 'auto',
    devices,
    threads: 1,
    precision: 'bf16',
    libraryPath: '/nowhere/libdnnl.so',
  });
  await expect(starting).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
});

it('says which engine auto took, and only of auto', async () => {
  const reasons: string[] = [];
  for (const engine of ['auto', 'reference'] as const) {
    const pool = await startHosts({ engine, devices: 'cpu', threads: 1, onChoice: (r) => reasons.push(r) });
    await pool.dispose();
  }
  expect(reasons).toEqual([expect.stringMatching(/^engine auto took (onednn|onnx)\b.* for cpu in fp32/)]);
});

it.each([
  ['onnx', 'cpu'],
  ['reference', 'cpu'],
  ['auto', 'cuda:0'],
] as const)('bf16 is refused where %s on %s would compute in fp32', async (engine, devices) => {
  const starting = startHosts({ engine, devices, threads: 1, precision: 'bf16' });
  await expect(starting).rejects.toMatchObject({
    code: 'INVALID_SETTINGS',
    message: `precision: expected fp32 with engine ${engine} on ${devices}; received bf16, which onednn computes on cpu`,
  });
});
