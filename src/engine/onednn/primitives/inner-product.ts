import { propagation } from '../library/constants.ts';
import type { ConvolutionDescs } from './convolution.ts';
import { describePrimitive, type PrimitiveDesc, type Propagation, withRelu } from './primitives.ts';
import { handleOf, type Scope } from './scope.ts';

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
      handleOf(source),
      handleOf(weights),
      handleOf(bias),
      handleOf(destination),
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
      handleOf(source),
      handleOf(weights),
      handleOf(destination),
      handleOf(forward),
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
      handleOf(source),
      handleOf(weights),
      handleOf(bias),
      handleOf(destination),
      handleOf(forward),
      null,
    ),
  );
}
