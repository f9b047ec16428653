import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { openSafetensors } from '../../formats/safetensors/read.ts';
import { checkTensors } from '../../network/check-tensors.ts';
import { copyOfWeights, type Weights } from '../../network/weights.ts';
import type { NetworkSource } from '../engine.ts';
import type { LocateTensor } from './model.ts';
import type { SessionData } from './runtime.ts';

export interface Initialisers {
  readonly locate: LocateTensor;
  readonly data: SessionData;
}

/**
 * The weights of a network as external initialisers. A safetensors file in float32 is mapped by onnxruntime itself, so
 * that nothing is read into this process first (VGG-16: 1.0 GB at the peak and 0.7 after it, instead of 1.6 and 1.2);
 * one in half precision is widened in memory, tensor by tensor. onnxruntime copies all of them before the session stands.
 * Throws INVALID_WEIGHTS.
 */
export async function initialisersOf({ id, spec, weights }: NetworkSource): Promise<Initialisers> {
  if (!('path' in weights)) {
    checkTensors(id, spec, weights);
    return inMemory(copyOfWeights(weights));
  }
  const { tensors } = openSafetensors(weights.path);
  checkTensors(id, spec, tensors);
  const canBeMapped = [...tensors.values()].every(({ type, offset }) => type === 'F32' && offset % 4 === 0);
  if (!canBeMapped) return inMemory(copyOfWeights(tensors));
  // onnxruntime accepts only files that lie in the folder itself, not links out of it.
  const file = await realpath(weights.path);
  const location = basename(file);
  return {
    data: { folder: dirname(file) },
    locate: (name) => ({ location, offset: tensors.get(name)!.offset, length: tensors.get(name)!.length }),
  };
}

// --- helpers ---

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
