import { VerydeepError } from '../../errors.ts';
import type { Precision } from '../precision.ts';
import { OnednnError } from './library/bindings.ts';
import type { DataType } from './library/constants.ts';
import type { Onednn } from './library/library.ts';
import { convolutionForward } from './primitives/convolution.ts';
import { createScope } from './primitives/scope.ts';

/** Type of activations and of the weights that primitives read. Throws DEVICE_UNAVAILABLE where this CPU lacks it. */
export function dataTypeFor(onednn: Onednn, precision: Precision): DataType {
  if (precision === 'fp32') return 'f32';
  const scope = createScope(onednn);
  try {
    const maps = scope.desc([1, 16, 8, 8], 'bf16', 'channelsLast');
    const weights = scope.desc([16, 16, 3, 3], 'bf16', 'any');
    const bias = scope.desc([16], 'f32', 'rowMajor');
    const descs = { source: maps, weights, bias, destination: maps, padding: 1 };
    convolutionForward(scope, descs, 'training', true);
    return 'bf16';
  } catch (cause) {
    if (!(cause instanceof OnednnError && cause.unimplemented)) throw cause;
    const message = 'precision: expected fp32 on this CPU, received bf16 (it needs AVX-512 or newer)';
    throw new VerydeepError('DEVICE_UNAVAILABLE', message, { cause });
  } finally {
    scope.dispose();
  }
}
