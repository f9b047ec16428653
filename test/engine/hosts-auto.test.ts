import { expect, it } from 'vitest';
import { startHosts } from '../../src/engine/hosts.ts';

it('auto does not fall back from a library that was named and is not there', async () => {
  const starting = startHosts({
    engine: 'auto',
    devices: 'cpu',
    threads: 1,
    onednnLibrary: '/nowhere/libdnnl.so',
  });
  await expect(starting).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
});
