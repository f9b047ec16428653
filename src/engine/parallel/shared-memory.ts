import { closeSync, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import { VerydeepError } from '../../errors.ts';

/**
 * Memory that several processes see: a file without a name, which those have who inherit its descriptor. The system frees
 * it with the last of them, however they end.
 */
export interface SharedFile {
  readonly descriptor: number;
  /** Grows with zeros. */
  resize(bytes: number): void;
  /** What is mapped stays. */
  close(): void;
}

/** Parts of the memory begin at multiples of this, the largest page in use. */
export const pageBytes = 65_536;

/** Throws DEVICE_UNAVAILABLE if the system gives none. */
export function createSharedFile(): SharedFile {
  const descriptor = process.platform === 'linux' ? memoryFile() : unlinkedFile();
  return {
    descriptor,
    resize: (bytes) => ftruncateSync(descriptor, bytes),
    close: () => closeSync(descriptor),
  };
}

/**
 * Part of a shared file as memory: what one process writes, all others read. It is unmapped when no array shows it any
 * more. Throws DEVICE_UNAVAILABLE.
 */
export function mapShared(descriptor: number, offset: number, bytes: number): ArrayBuffer {
  const address = mmap(null, bytes, protectReadWrite, mapSharedFlag, descriptor, offset);
  if (address === mapFailed) throw unavailable(`mmap of ${bytes} bytes failed`);
  const memory = koffi.view(address, bytes);
  unmapping.register(memory, { address, bytes });
  return memory;
}

// --- helpers ---

// Equal on Linux and macOS.
const [protectReadWrite, mapSharedFlag, mapFailed] = [3, 1, 2n ** 64n - 1n];
const closeOnExec = 1;

const libc = koffi.load(null);
const mmap = libc.func(
  'void *mmap(void *address, size_t bytes, int protection, int flags, int descriptor, int64_t offset)',
) as (...values: unknown[]) => bigint;
const munmap = libc.func('int munmap(void *address, size_t bytes)');

const unmapping = new FinalizationRegistry<{ address: bigint; bytes: number }>(({ address, bytes }) => {
  munmap(address, bytes);
});

/** Not under /dev/shm, which a container bounds to 64 MB unless told otherwise. */
function memoryFile(): number {
  const create = libc.func('int memfd_create(const char *name, unsigned int flags)');
  const descriptor: number = create('verydeep', closeOnExec);
  if (descriptor < 0) throw unavailable('memfd_create failed');
  return descriptor;
}

function unlinkedFile(): number {
  const path = join(tmpdir(), `verydeep-${process.pid}-${performance.now()}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return descriptor;
}

function unavailable(reason: string): VerydeepError {
  return new VerydeepError('DEVICE_UNAVAILABLE', `memory shared by training workers: ${reason}`);
}
