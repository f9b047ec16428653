import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const child = fileURLToPath(new URL('./limited-child.ts', import.meta.url));

// The limit holds for a whole process. Its unit is 512 or 1024 bytes, as the shell likes.
it.runIf(process.platform !== 'win32').each(['whole', 'parts'])(
  'a limit on the size of files is a full disk, and leaves the old file: written in %s',
  (how) => {
    const folder = mkdtempSync(join(tmpdir(), 'verydeep-'));
    const path = join(folder, 'checkpoint.safetensors');
    writeFileSync(path, 'old');
    const limited = [
      '-c',
      'ulimit -f 256 && exec "$0" "$@"',
      process.execPath,
      '--import',
      'tsx',
      child,
      path,
      how,
    ];
    const { stdout, stderr } = spawnSync('sh', limited, { encoding: 'utf8' });
    expect(JSON.parse(stdout || JSON.stringify(stderr))).toEqual({
      code: 'DISK_FULL',
      message: expect.stringContaining(`expected to write 1048576 bytes to ${path}`),
      coded: true,
    });
    expect(readdirSync(folder)).toEqual(['checkpoint.safetensors']);
    expect(readFileSync(path, 'utf8')).toBe('old');
    rmSync(folder, { recursive: true });
  },
);
