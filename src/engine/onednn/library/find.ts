import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** File name of oneDNN 3; `undefined` where this product cannot call it. */
const libraryName: string | undefined = (
  { linux: 'libdnnl.so.3', darwin: 'libdnnl.3.dylib' } as Partial<Record<NodeJS.Platform, string>>
)[process.platform];

/** Where `verydeep setup-onednn` puts the library: `.onednn/` beside package.json. */
export const libraryFolder = join(packageRoot(), '.onednn');

const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

const systemFolders = [
  '/usr/local/lib',
  '/usr/local/lib64',
  `/usr/lib/${machine}-linux-gnu`,
  '/usr/lib64',
  '/usr/lib',
  '/opt/homebrew/lib',
];

/**
 * Path of oneDNN's library: the one given, else `.onednn/`, else the system's. `undefined` where there is none. The file
 * is only looked for, not loaded.
 */
export function findOnednnLibrary(given?: string): string | undefined {
  if (given !== undefined) return existsSync(given) ? given : undefined;
  if (libraryName === undefined) return undefined;
  return [libraryFolder, ...systemFolders].map((folder) => join(folder, libraryName!)).find(existsSync);
}

// --- helpers ---

/** The folder of package.json, from the sources as from `dist/`. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
