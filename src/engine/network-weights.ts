import { VerydeepError } from '../errors.ts';
import { readWeights } from '../formats/safetensors.ts';
import { tensorsOf } from '../network/layers.ts';
import type { InitialWeights, Weights } from '../network/weights.ts';
import type { NetworkSource } from './engine.ts';

/** Weights of a network in memory, checked. Throws INVALID_WEIGHTS. */
export async function loadWeights({
  id,
  spec,
  weights,
}: Omit<NetworkSource, 'preprocessing'>): Promise<Weights> {
  const tensors = 'path' in weights ? await readWeights(weights.path) : weights;
  checkWeights(id, spec, tensors);
  return tensors;
}

/** Throws INVALID_WEIGHTS where {@link checkTensors} does, or where a tensor has too few numbers or too many. */
export function checkWeights(name: string, spec: NetworkSource['spec'], tensors: InitialWeights): void {
  checkTensors(name, spec, tensors);
  for (const [key, tensor] of tensors) {
    const count = tensor.shape.reduce((a, b) => a * b, 1);
    if (!('data' in tensor) || tensor.data.length === count) continue;
    const message = `${name}: expected ${count} numbers in tensor ${key}, received ${tensor.data.length}`;
    throw new VerydeepError('INVALID_WEIGHTS', message);
  }
}

/** Throws INVALID_WEIGHTS where a tensor of the network is missing or has another shape; `name` is for messages. */
export function checkTensors(
  name: string,
  spec: NetworkSource['spec'],
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): void {
  for (const expected of tensorsOf(spec)) {
    const shape = tensors.get(expected.name)?.shape;
    const wanted = `${name}: expected tensor ${expected.name} [${expected.shape.join(', ')}]`;
    if (!shape) throw new VerydeepError('INVALID_WEIGHTS', `${wanted}, received none of that name`);
    if (shape.join() !== expected.shape.join()) {
      throw new VerydeepError('INVALID_WEIGHTS', `${wanted}, received [${shape.join(', ')}]`);
    }
  }
}
