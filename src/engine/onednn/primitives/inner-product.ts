import { propagation } from '../library/constants.ts';
import type { ConvolutionDescs } from './convolution.ts';
import { describePrimitive, type PrimitiveDesc, type Propagation, withRelu } from './primitives.ts';
import type { Scope } from './scope.ts';

/** Descriptors of a fully connected layer; layout `any` where the implementation may choose. */
export type InnerProductDescs = Omit<ConvolutionDescs, 'padding'>;

export function innerProductForward(
  scope: Scope,
  { source, weights, bias, destination }: InnerProductDescs,
  kind: Propagation,
  relu: boolean,
): PrimitiveDesc {
  return withRelu(scope, relu, (attributes) =>
    scope.onednn.innerProductForward(
      propagation[kind],
      source.handle,
      weights.handle,
      bias.handle,
      destination.handle,
      attributes,
    ),
  );
}

export function innerProductBackwardData(
  scope: Scope,
  { source, weights, destination }: InnerProductDescs,
  forward: PrimitiveDesc,
): PrimitiveDesc {
  return describePrimitive(
    scope,
    scope.onednn.innerProductBackwardData(
      source.handle,
      weights.handle,
      destination.handle,
      forward.handle,
      null,
    ),
  );
}

export function innerProductBackwardWeights(
  scope: Scope,
  { source, weights, bias, destination }: InnerProductDescs,
  forward: PrimitiveDesc,
): PrimitiveDesc {
  return describePrimitive(
    scope,
    scope.onednn.innerProductBackwardWeights(
      source.handle,
      weights.handle,
      bias.handle,
      destination.handle,
      forward.handle,
      null,
    ),
  );
}
