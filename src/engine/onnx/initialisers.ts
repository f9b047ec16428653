import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { readTensorPlaces } from '../../formats/safetensors.ts';
import type { Weights } from '../../network/weights.ts';
import type { NetworkSource } from '../engine.ts';
import { checkTensors, loadWeights } from '../network-weights.ts';
import type { LocateTensor } from './model.ts';
import type { SessionData } from './runtime.ts';

export interface Initialisers {
  readonly locate: LocateTensor;
  readonly data: SessionData;
}

/**
 * The weights of a network as external initialisers. A safetensors file in float32 is mapped by onnxruntime itself, so
 * that nothing is read into this process first (VGG-16: 1.0 GB at the peak and 0.7 after it, instead of 1.6 and 1.2);
 * one in half precision is widened in memory. onnxruntime copies all of them before the session stands. Throws
 * INVALID_WEIGHTS.
 */
export async function initialisersOf(source: NetworkSource): Promise<Initialisers> {
  const mapped = 'path' in source.weights && (await mappedFile(source, source.weights.path));
  return mapped || inMemory(await loadWeights(source));
}

/** Undefined where the file holds other numbers than aligned float32. */
async function mappedFile({ id, spec }: NetworkSource, path: string): Promise<Initialisers | undefined> {
  const places = await readTensorPlaces(path);
  checkTensors(id, spec, places);
  if ([...places.values()].some(({ type, offset }) => type !== 'F32' || offset % 4 !== 0)) return undefined;
  // onnxruntime accepts only files that lie in the folder itself, not links out of it.
  const file = await realpath(path);
  const location = basename(file);
  return {
    data: { folder: dirname(file) },
    locate: (name) => ({ location, offset: places.get(name)!.offset, length: places.get(name)!.length }),
  };
}

function inMemory(weights: Weights): Initialisers {
  const buffers = [...weights].map(([path, { data }]) => ({
    path,
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  }));
  return {
    data: { buffers },
    locate: (location) => ({ location, offset: 0, length: weights.get(location)!.data.byteLength }),
  };
}
