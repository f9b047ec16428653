import { algorithm, argument, propagation, typeOfDestination } from '../library/constants.ts';
import { createStep, describePrimitive, type Step, withAttributes } from './primitives.ts';
import { handleOf, type Memory, type Scope, type SharedMemory } from './scope.ts';

/** gradient = output > 0 ? gradient : 0, in place; both of one layout. */
export function reluBackward(scope: Scope, label: string, output: Memory, gradient: Memory): Step {
  const handle = handleOf(output.desc);
  const kind = algorithm.reluFromOutput;
  const forward = scope.onednn.eltwiseForward(propagation.training, kind, handle, handle, 0, 0, null);
  scope.own(forward, scope.onednn.destroyPrimitiveDesc);
  const desc = describePrimitive(
    scope,
    scope.onednn.eltwiseBackward(kind, handle, handle, handle, 0, 0, forward, null),
  );
  return createStep(label, desc, {
    destination: output,
    destinationGradient: gradient,
    sourceGradient: gradient,
  });
}

/** values = values x factors, in place. */
export function multiply(scope: Scope, label: string, values: Memory, factors: Memory): Step {
  const { desc } = values;
  const binary = scope.onednn.binary(
    algorithm.multiply,
    handleOf(desc),
    handleOf(factors.desc),
    handleOf(desc),
    null,
  );
  return createStep(label, describePrimitive(scope, binary), {
    source: values,
    source1: factors,
    destination: values,
  });
}

/** Copies into another type or layout. */
export function reorder(scope: Scope, label: string, source: Memory, destination: Memory): Step {
  const handle = scope.onednn.reorder(handleOf(source.desc), handleOf(destination.desc));
  return createStep(label, describePrimitive(scope, handle), { source, destination });
}

/** values = values + others, in place; both of one layout. */
export function add(scope: Scope, label: string, values: Memory, others: Memory): Step {
  const handle = handleOf(values.desc);
  const binary = scope.onednn.binary(algorithm.add, handle, handle, handle, null);
  return createStep(label, describePrimitive(scope, binary), {
    source: values,
    source1: others,
    destination: values,
  });
}

/** values = keep x values + factors[0] x first + factors[1] x second, in place; the factors are read in each run. */
export function blend(
  scope: Scope,
  label: string,
  values: Memory,
  keep: number,
  [first, second]: readonly [Memory, Memory],
  factors: readonly [SharedMemory, SharedMemory],
): Step {
  const { onednn } = scope;
  const handle = handleOf(values.desc);
  const desc = withAttributes(
    scope,
    (attributes, postOps) => {
      for (const role of [argument.source, argument.source1]) onednn.setScales(attributes, role, 0);
      onednn.appendSum(postOps, keep, 0, typeOfDestination);
    },
    (attributes) => onednn.binary(algorithm.add, handle, handle, handle, attributes),
  );
  return createStep(label, desc, {
    source: first,
    source1: second,
    destination: values,
    scaleOfSource: factors[0],
    scaleOfSource1: factors[1],
  });
}
