import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { prepareFile, prepareFolder } from '../../../src/commands/cli/prepare-output.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const root = temporaryFolder();
beforeAll(() => {
  mkdirSync(join(root, 'folder'));
  writeFileSync(join(root, 'file'), 'text');
});

describe('an output', () => {
  it.each([
    ['a file', prepareFile, 'folder', '--out: expected a file that can be written; received '],
    ['a file', prepareFile, 'file/report.html', '--out: expected a file that can be written; received '],
    ['a folder', prepareFolder, 'file', '--out: expected a folder that can be written; received '],
    ['a folder', prepareFolder, 'file/results', '--out: expected a folder that can be written; received '],
  ])('is refused before any work where %s cannot be written (%o, %s)', async (_, prepare, name, message) => {
    await expect(prepare('--out', join(root, name))).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(message),
    });
  });

  it('has a new folder, and nothing in it yet', async () => {
    await prepareFile('--html', join(root, 'new/reports/report.html'));
    await prepareFolder('--out', join(root, 'results'));
    for (const name of ['new/reports', 'results']) {
      expect(existsSync(join(root, name))).toBe(true);
      expect(readdirSync(join(root, name))).toEqual([]);
    }
  });
});
