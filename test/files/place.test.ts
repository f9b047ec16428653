import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placeFile } from '../../src/files/place.ts';

/** Another file system than that of the temporary folder, if there is one. */
const memory = '/dev/shm';
const hasTwoFileSystems = existsSync(memory) && statSync(memory).dev !== statSync(tmpdir()).dev;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'verydeep-'));
  writeFileSync(join(folder, 'file'), 'weights');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a second name of a file', () => {
  it('is a link to it, also where the first name is a symbolic one', async () => {
    symlinkSync(join(folder, 'file'), join(folder, 'symbolic'));
    await placeFile(join(folder, 'symbolic'), join(folder, 'second'));
    expect(statSync(join(folder, 'second')).ino).toBe(statSync(join(folder, 'file')).ino);
    rmSync(join(folder, 'file'));
    expect(readFileSync(join(folder, 'second'), 'utf8')).toBe('weights');
  });

  it('never replaces another file', async () => {
    writeFileSync(join(folder, 'second'), 'other');
    await expect(placeFile(join(folder, 'file'), join(folder, 'second'))).rejects.toMatchObject({
      code: 'EEXIST',
    });
    expect(readFileSync(join(folder, 'second'), 'utf8')).toBe('other');
  });

  it.runIf(hasTwoFileSystems)('is a copy on another file system', async () => {
    const elsewhere = mkdtempSync(join(memory, 'verydeep-'));
    try {
      await placeFile(join(folder, 'file'), join(elsewhere, 'second'));
      expect(readFileSync(join(elsewhere, 'second'), 'utf8')).toBe('weights');
      await expect(placeFile(join(folder, 'file'), join(elsewhere, 'second'))).rejects.toMatchObject({
        code: 'EEXIST',
      });
      expect(readdirSync(elsewhere)).toEqual(['second']);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });
});
