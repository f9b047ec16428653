import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, VerydeepError } from '../../../errors.ts';
import { makeFolder } from '../../../files/make-folder.ts';
import { findOnednnLibrary, libraryFolder } from './find.ts';
import { loadOnednn } from './library.ts';

const requirement = 'onednn-cpu-gomp==2023.2.0';
const wheel = 'onednn_cpu_gomp-2023.2.0-py2.py3-none-manylinux1_x86_64.whl';
const wheelSha256 = '2f22a54d6a890ed14bfa185d42a4be65d8b5b1df85dc1f0f3a9abe31620416fb';
const member = 'onednn_cpu_gomp-2023.2.0.data/data/lib/libdnnl.so.3';

/** pip needs Python, and Python reads zip files: `unzip.py WHEEL MEMBER FILE`. */
const unzip =
  'import shutil, sys, zipfile; _, wheel, member, file = sys.argv; ' +
  'shutil.copyfileobj(zipfile.ZipFile(wheel).open(member), open(file, "wb"))';

/**
 * Puts oneDNN's library, of the version that this product is measured with, into `.onednn/`: pip downloads the wheel, its
 * checksum is compared, and the one file that is needed is unpacked. Does nothing more than load it when it is there. Throws
 * DEVICE_UNAVAILABLE.
 */
export async function installOnednn(): Promise<{ readonly version: string; readonly path: string }> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw unavailable(
      `expected Linux on x64 for the wheel of oneDNN; received ${process.platform} on ${process.arch}. ` +
        'Install oneDNN 3 with your package manager (Debian 13, Ubuntu 24.04: libdnnl3; Homebrew: onednn)',
    );
  }
  const path = join(libraryFolder, 'libdnnl.so.3');
  if (findOnednnLibrary(path) === undefined) install(path);
  const { version } = await loadOnednn({ libraryPath: path });
  return { version, path };
}

// --- helpers ---

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
      throw unavailable(
        `${wheel}: expected sha256 ${wheelSha256}; received ${sha256}. Nothing was installed`,
      );
    }
    makeLibraryFolder();
    // Under another name first, so that a crash leaves no half of a library to be found.
    python(['-c', unzip, path, member, `${target}.part`]);
    renameSync(`${target}.part`, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeLibraryFolder(): void {
  try {
    makeFolder(libraryFolder);
    accessSync(libraryFolder, constants.W_OK);
  } catch (cause) {
    const message = `expected a folder to write to; received ${messageOf(cause)}. ONEDNN_LIBRARY names a library elsewhere`;
    throw unavailable(message, cause);
  }
}

function python(parameters: readonly string[]): void {
  const { status, error } = spawnSync('python3', parameters, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error || status !== 0) {
    throw unavailable(
      `expected python3 with pip; received ${error?.message ?? `status ${status}`}. Install them (Debian: ` +
        `apt install python3-pip), or put libdnnl.so.3 of oneDNN 3 into ${libraryFolder} yourself`,
      error,
    );
  }
}

function unavailable(message: string, cause?: unknown): VerydeepError {
  return new VerydeepError('DEVICE_UNAVAILABLE', `oneDNN: ${message}`, { cause });
}
