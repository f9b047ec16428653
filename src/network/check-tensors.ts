import { VerydeepError } from '../errors.ts';
import type { ForwardSpec } from './architecture.ts';
import { tensorsOf } from './layers.ts';
import { weightTypes } from './number-types.ts';
import { countOf, typeOf, type WeightSources } from './weights.ts';

/**
 * Throws INVALID_WEIGHTS if a tensor of the network is missing, has another shape, too few numbers or too many, or is
 * of a type that weights are not stored as; `name` is for messages.
 */
export function checkTensors(name: string, spec: ForwardSpec, tensors: WeightSources): void {
  for (const { name: key, shape } of tensorsOf(spec)) {
    const tensor = tensors.get(key);
    const wanted = `${name}: expected tensor ${key} [${shape.join(', ')}]`;
    if (!tensor) throw invalidWeights(`${wanted}; received none of that name`);
    if (tensor.shape.join() !== shape.join())
      throw invalidWeights(`${wanted}; received [${tensor.shape.join(', ')}]`);
    const type = typeOf(tensor);
    if (!weightTypes.some((known) => known === type)) {
      throw invalidWeights(`${wanted} of ${weightTypes.join(', ')}; received ${type}`);
    }
    if ('data' in tensor && tensor.data.length !== countOf(shape)) {
      throw invalidWeights(
        `${name}: expected ${countOf(shape)} numbers in tensor ${key}; received ${tensor.data.length}`,
      );
    }
  }
}

// --- helpers ---

function invalidWeights(message: string): VerydeepError {
  return new VerydeepError('INVALID_WEIGHTS', message);
}
