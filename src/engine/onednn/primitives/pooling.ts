import { algorithm, propagation } from '../library/constants.ts';
import {
  describePrimitive,
  type PrimitiveDesc,
  type Propagation,
  sides,
  withoutPostOps,
} from './primitives.ts';
import { handleOf, type MemoryDesc, type Scope } from './scope.ts';

/** 2x2, stride 2, no padding: strides, kernel, dilates, padding left and right. */
const poolWindow = [sides(2), sides(2), sides(0), sides(0), sides(0)] as const;

export function poolForward(
  scope: Scope,
  source: MemoryDesc,
  destination: MemoryDesc,
  kind: Propagation,
): PrimitiveDesc {
  return withoutPostOps(scope, (attributes) =>
    scope.onednn.poolingForward(
      propagation[kind],
      algorithm.maxPooling,
      handleOf(source),
      handleOf(destination),
      ...poolWindow,
      attributes,
    ),
  );
}

/** The gradient goes to the first of equal maxima, which the workspace of the forward pass remembers. */
export function poolBackward(
  scope: Scope,
  source: MemoryDesc,
  destination: MemoryDesc,
  forward: PrimitiveDesc,
): PrimitiveDesc {
  return describePrimitive(
    scope,
    scope.onednn.poolingBackward(
      algorithm.maxPooling,
      handleOf(source),
      handleOf(destination),
      ...poolWindow,
      handleOf(forward),
      null,
    ),
  );
}
