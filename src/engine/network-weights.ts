import { openSafetensors } from '../formats/safetensors/read.ts';
import { checkTensors } from '../network/check-tensors.ts';
import type { WeightSources } from '../network/weights.ts';
import type { NetworkSource } from './engine.ts';

/** Weights of a network, checked, to be laid out one tensor at a time. Throws INVALID_WEIGHTS. */
export function weightsOf({ id, spec, weights }: Omit<NetworkSource, 'preprocessing'>): WeightSources {
  const tensors = 'path' in weights ? openSafetensors(weights.path).tensors : weights;
  checkTensors(id, spec, tensors);
  return tensors;
}
