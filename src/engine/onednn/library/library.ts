import { messageOf, VerydeepError } from '../../../errors.ts';
import { type Bindings, bind } from './bindings.ts';
import { findOnednnLibrary } from './find.ts';
import { expectWholeFile } from './whole-file.ts';

export interface LibraryOptions {
  /** Path of the library; searched for when omitted (find.ts). */
  readonly libraryPath?: string | undefined;
}

/** oneDNN, loaded. */
export interface Onednn extends Bindings {
  readonly path: string;
  /** `3.2.0`. */
  readonly version: string;
  /** Address of the numbers of an array, which stay there for as long as the array is referenced. */
  addressOf(array: Float32Array | Uint16Array): bigint;
  /** Native memory as JavaScript sees it, for no longer than it is allocated. */
  view(address: bigint, bytes: number): ArrayBuffer;
}

const loaded = new Map<string, Promise<Onednn>>();

/** Loads oneDNN, once a process. Throws DEVICE_UNAVAILABLE where it is not there, or is not version 3. */
export function loadOnednn({ libraryPath }: LibraryOptions = {}): Promise<Onednn> {
  const path = findOnednnLibrary(libraryPath);
  if (path === undefined) return Promise.reject(notFound(libraryPath));
  const library = loaded.get(path) ?? load(path);
  loaded.set(path, library);
  library.catch(() => loaded.delete(path)); // it may be put right while the process runs
  return library;
}

// --- helpers ---

async function load(path: string): Promise<Onednn> {
  // OpenMP's threads look this many times for work before they sleep (libgomp reads it when it is loaded): as fast as its
  // default of 300,000 on cores of our own, and a third faster where others compute on them as well.
  process.env.GOMP_SPINCOUNT ??= '1000';
  try {
    expectWholeFile(path);
    const { default: koffi } = await import('koffi');
    const libc = koffi.load(null);
    // koffi closes its libraries at exit, while OpenMP's threads still run inside: this one has to stay.
    const noDelete = process.platform === 'darwin' ? 0x80 : 0x1000;
    const now = 2;
    libc.func('void *dlopen(const char *path, int flags)')(path, now | noDelete);
    const library = koffi.load(path);
    const [major, minor, patch] = koffi.decode(
      library.func('void *dnnl_version()')(),
      koffi.array('int', 3),
    ) as Int32Array;
    const version = `${major}.${minor}.${patch}`;
    if (major !== 3) throw new Error(`expected oneDNN 3, received oneDNN ${version}`);
    return { ...bind(library, libc), path, version, addressOf: koffi.address, view: koffi.view };
  } catch (cause) {
    throw new VerydeepError('DEVICE_UNAVAILABLE', `oneDNN at ${path}: ${messageOf(cause)}`, { cause });
  }
}

function notFound(libraryPath: string | undefined): VerydeepError {
  const where =
    libraryPath ??
    'in .onednn/ (where "verydeep setup-onednn" puts it) or in the folders of system libraries';
  return new VerydeepError('DEVICE_UNAVAILABLE', `oneDNN: expected its library ${where}, found none`);
}
