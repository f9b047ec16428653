/**
 * Puts oneDNN's library, of the version that this product is measured with, into `.onednn/`: pip downloads the wheel,
 * its checksum is compared, and the one file that is needed is unpacked.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnednnLibrary, libraryFolder } from '../src/engine/onednn/library/find.ts';
import { loadOnednn } from '../src/engine/onednn/library/library.ts';
import { messageOf } from '../src/errors.ts';

const requirement = 'onednn-cpu-gomp==2023.2.0';
const wheel = 'onednn_cpu_gomp-2023.2.0-py2.py3-none-manylinux1_x86_64.whl';
const wheelSha256 = '2f22a54d6a890ed14bfa185d42a4be65d8b5b1df85dc1f0f3a9abe31620416fb';
const member = 'onednn_cpu_gomp-2023.2.0.data/data/lib/libdnnl.so.3';

/** pip needs Python, and Python reads zip files: `unzip.py WHEEL MEMBER FILE`. */
const unzip =
  'import shutil, sys, zipfile; _, wheel, member, file = sys.argv; ' +
  'shutil.copyfileobj(zipfile.ZipFile(wheel).open(member), open(file, "wb"))';

try {
  await setUp();
} catch (error) {
  console.error(`setup:onednn: ${messageOf(error)}`);
  process.exitCode = 1;
}

async function setUp(): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `expected Linux on x64 for the wheel of oneDNN, received ${process.platform} on ${process.arch}; ` +
        'install oneDNN 3 with your package manager (Debian 13, Ubuntu 24.04: libdnnl3; Homebrew: onednn)',
    );
  }
  const target = join(libraryFolder, 'libdnnl.so.3');
  if (findOnednnLibrary(target) === undefined) install(target);
  const { version } = await loadOnednn({ libraryPath: target });
  console.log(`oneDNN ${version} is in ${target}`);
}

function install(target: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'verydeep-onednn-'));
  try {
    python([
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--only-binary',
      ':all:',
      '--dest',
      folder,
      requirement,
    ]);
    const path = join(folder, wheel);
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
    if (sha256 !== wheelSha256) {
      throw new Error(`${wheel}: expected sha256 ${wheelSha256}, received ${sha256}; nothing was installed`);
    }
    mkdirSync(libraryFolder, { recursive: true });
    // Under another name first, so that a crash leaves no half of a library to be found.
    python(['-c', unzip, path, member, `${target}.part`]);
    renameSync(`${target}.part`, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function python(parameters: readonly string[]): void {
  const { status, error } = spawnSync('python3', parameters, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error || status !== 0) {
    throw new Error(
      `expected python3 with pip, received ${error?.message ?? `status ${status}`}; install them (Debian: ` +
        'apt install python3-pip), or put libdnnl.so.3 of oneDNN 3 into .onednn/ yourself',
    );
  }
}
