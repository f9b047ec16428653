import { expect, it } from 'vitest';
import { jobContextOf } from '../../src/service/jobs.ts';
import { readSettings } from '../../src/service/settings.ts';

it('jobs get the engine and the library of the settings, whatever they are, on the CPU', () => {
  const settings = readSettings({ ENGINE: 'onednn', ONEDNN_LIBRARY: '/srv/libdnnl.so.3', JOB_THREADS: '2' });
  expect(jobContextOf(settings)).toMatchObject({
    engine: 'onednn',
    device: 'cpu',
    libraryPath: '/srv/libdnnl.so.3',
    threads: 2,
    idleOnly: false,
  });
  const serving = { ENGINE: 'reference' };
  expect(jobContextOf(readSettings(serving))).toMatchObject({ engine: 'reference' });
});
