import { algorithm, propagation } from '../library/constants.ts';
import { describePrimitive, type PrimitiveDesc, type Propagation, sides, withRelu } from './primitives.ts';
import { handleOf, type MemoryDesc, type Scope } from './scope.ts';

/**
 * Descriptors of a convolution of stride 1: the output is as large as the input (kernel 3 padded by 1, kernel 1) or,
 * unpadded, smaller. Layout `any` where the implementation may choose.
 */
export interface ConvolutionDescs {
  readonly source: MemoryDesc;
  readonly weights: MemoryDesc;
  readonly bias: MemoryDesc;
  readonly destination: MemoryDesc;
  readonly padding: number;
}

export function convolutionForward(
  scope: Scope,
  descs: ConvolutionDescs,
  kind: Propagation,
  relu: boolean,
): PrimitiveDesc {
  const { source, weights, bias, destination, padding } = descs;
  return withRelu(scope, relu, (attributes) =>
    scope.onednn.convolutionForward(
      propagation[kind],
      algorithm.convolutionDirect,
      handleOf(source),
      handleOf(weights),
      handleOf(bias),
      handleOf(destination),
      ...windowOf(padding),
      attributes,
    ),
  );
}

export function convolutionBackwardData(
  scope: Scope,
  { source, weights, destination, padding }: ConvolutionDescs,
  forward: PrimitiveDesc,
): PrimitiveDesc {
  return describePrimitive(
    scope,
    scope.onednn.convolutionBackwardData(
      algorithm.convolutionDirect,
      handleOf(source),
      handleOf(weights),
      handleOf(destination),
      ...windowOf(padding),
      handleOf(forward),
      null,
    ),
  );
}

export function convolutionBackwardWeights(
  scope: Scope,
  { source, weights, bias, destination, padding }: ConvolutionDescs,
  forward: PrimitiveDesc,
): PrimitiveDesc {
  return describePrimitive(
    scope,
    scope.onednn.convolutionBackwardWeights(
      algorithm.convolutionDirect,
      handleOf(source),
      handleOf(weights),
      handleOf(bias),
      handleOf(destination),
      ...windowOf(padding),
      handleOf(forward),
      null,
    ),
  );
}

// --- helpers ---

/** Strides, dilates, padding left and right. */
function windowOf(padding: number): BigInt64Array[] {
  return [sides(1), sides(0), sides(padding), sides(padding)];
}
