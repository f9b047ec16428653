import { expect, it } from 'vitest';
import { readJobRequest } from '../../src/jobs/request.ts';
import { migrate } from '../../src/jobs/schema.ts';
import { findJob } from '../../src/jobs/store.ts';
import { parseSettings } from '../../src/training/settings.ts';
import { openInMemory } from './in-memory.ts';

it('jobs of before have their settings by the names of now', async () => {
  const database = await openInMemory();
  await migrate(database);
  await database.query('DELETE FROM verydeep.migration WHERE version >= 1');
  const network = { architecture: 'A', width: 0.125, fc: 8, crop: 32, head: 'classes', threads: 2 };
  const recipe = { batch: 4, epochs: 2, rate: '0.001', initialise: 'he', cacheBytes: 2 ** 31 };
  const before: readonly [string, object, object][] = [
    [
      'train',
      { ...network, ...recipe, scale: { min: 32, max: 32 } },
      { scale: 32, cacheMb: 2048, rate: '0.001' },
    ],
    [
      'localise',
      { head: 'pcr', from: 'mine@1/a', scale: { min: 32, max: 48 } },
      { scale: '32-48', head: 'pcr' },
    ],
    ['evaluate', { split: 'val', view: 'crops', flip: false }, { view: ['crops'], flip: false }],
  ];
  for (const [i, [type, settings]] of before.entries()) {
    await database.query(
      `INSERT INTO verydeep.job (id, type, dataset, ensemble, settings, state)
       VALUES ($1, $2, 'birds', 'mine', $3::jsonb, 'queued')`,
      [idOf(i), type, JSON.stringify(settings)],
    );
  }
  await migrate(database);
  for (const [i, [, , settings]] of before.entries()) {
    const row = (await findJob(database, idOf(i)))!;
    expect(readJobRequest(row).settings).toMatchObject(settings);
  }
  const { settings } = (await findJob(database, idOf(0)))!;
  expect(parseSettings({ ...settings, data: 'x' })).toMatchObject({
    scale: { min: 32, max: 32 },
    cacheMb: 2048,
  });
  await database.close();
});

const idOf = (i: number): string => `00000000-0000-4000-8000-00000000000${i}`;
