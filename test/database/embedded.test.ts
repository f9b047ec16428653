import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openEmbedded } from '../../src/database/embedded.ts';
import { isRunning, startChild } from '../processes/running.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { processOf } from './test-database.ts';

const folder = temporaryFolder();

/** PostgreSQL's own word for how it was left: the state in its control file. */
function stateOf(data: string): 'shut down' | 'in production' | number {
  const state = readFileSync(join(data, 'database', 'global', 'pg_control')).readUInt32LE(16);
  return state === 1 ? 'shut down' : state === 6 ? 'in production' : state;
}

describe('the embedded database', () => {
  it('is shut down in order when its parent is killed, and another one finds what was committed', async () => {
    const { child: parent } = await startChild(new URL('./embedded-parent.ts', import.meta.url), folder);
    const pid = processOf(folder);
    expect(stateOf(folder)).toBe('in production');
    parent.kill('SIGKILL');
    await vi.waitUntil(() => !isRunning(pid), { timeout: 30_000 }); // no event tells of a process that is not ours
    expect(stateOf(folder)).toBe('shut down');

    const database = await openEmbedded(folder);
    expect(await database.query('SELECT text FROM note')).toEqual([{ text: 'committed' }]);
    expect(stateOf(folder)).toBe('in production');
    expect(readFileSync(join(folder, 'database.lock'), 'utf8')).toBe(
      `process ${process.pid} (its database is process ${processOf(folder)})\n`,
    );
    await database.close();
    expect(stateOf(folder)).toBe('shut down');
    await expect(database.query('SELECT 1')).rejects.toMatchObject({ code: 'JOBS_UNAVAILABLE' });
  });

  it('is refused by its folder when that cannot be used', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(openEmbedded(join(folder, 'file'))).rejects.toMatchObject({
      code: 'INVALID_SETTINGS',
      message: expect.stringMatching(/^DATA_DIR: EEXIST/),
    });
  });
});
