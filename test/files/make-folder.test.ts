import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { makeFolder } from '../../src/files/make-folder.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const folder = temporaryFolder();
const module = fileURLToPath(new URL('../../src/files/make-folder.ts', import.meta.url));

/** Runs a shell command where `folder/read-only` is a read-only file system of its own, which needs Linux's namespaces. */
const inReadOnly = (command: string) =>
  spawnSync(
    'unshare',
    ['-rm', 'sh', '-c', `mount -t tmpfs -o ro tmpfs "${join(folder, 'read-only')}" && ${command}`],
    { encoding: 'utf8' },
  );
mkdirSync(join(folder, 'read-only'));
const isMountable = inReadOnly('true').status === 0;

describe('a folder', () => {
  it('is made with those above it, and left alone when it is there', () => {
    makeFolder(join(folder, 'a/b'));
    writeFileSync(join(folder, 'a/b/file'), '');
    makeFolder(join(folder, 'a/b'));
    expect(existsSync(join(folder, 'a/b/file'))).toBe(true);
  });

  it('is refused with the reason of the system', () => {
    expect(() => makeFolder(join(folder, 'a/b/file'))).toThrow(/^EEXIST/);
    expect(() => makeFolder(join(folder, 'a/b/file/c'))).toThrow(/^ENOTDIR/);
  });

  it.skipIf(!isMountable)('on a read-only file system is refused with EROFS', () => {
    const path = join(folder, 'read-only/a/b');
    const program = `import { makeFolder } from '${module}'; makeFolder('${path}');`;
    const { stderr } = inReadOnly(`'${process.execPath}' --import tsx --input-type=module -e "${program}"`);
    expect(stderr).toContain(`EROFS: read-only file system, mkdir '${join(folder, 'read-only/a')}'`);
  });
});
