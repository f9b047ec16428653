import { VerydeepError } from '../errors.ts';
import { hashSafetensors, openSafetensors } from '../formats/safetensors/read.ts';
import type { NetworkSpec } from '../network/architecture.ts';
import { checkTensors } from '../network/check-tensors.ts';

/**
 * Reads a file of weights once and keeps nothing of it. Throws INVALID_WEIGHTS if a tensor of the network is missing or
 * misshapen, a number is not finite, or the hash is not the one that is stated.
 */
export async function checkWeights(
  path: string,
  network: NetworkSpec & { readonly sha256: string },
): Promise<void> {
  checkTensors(path, network, openSafetensors(path).tensors);
  const sha256 = await hashSafetensors(path);
  if (sha256 === network.sha256) return;
  throw new VerydeepError(
    'INVALID_WEIGHTS',
    `${path}: expected sha256 ${network.sha256}; received ${sha256}`,
  );
}
