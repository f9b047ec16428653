import { algorithm, argument, propagation } from './constants.ts';
import { createStep, createStepOf, describePrimitive, type Step } from './primitives.ts';
import type { Memory, Scope } from './scope.ts';

/** gradient = output > 0 ? gradient : 0, in place; both of one layout. */
export function reluBackward(scope: Scope, label: string, output: Memory, gradient: Memory): Step {
  const { handle } = output.desc;
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
  const binary = scope.onednn.binary(algorithm.multiply, desc.handle, factors.desc.handle, desc.handle, null);
  return createStep(label, describePrimitive(scope, binary), {
    source: values,
    source1: factors,
    destination: values,
  });
}

/** Copies into another type or layout. */
export function reorder(scope: Scope, label: string, source: Memory, destination: Memory): Step {
  const desc = describePrimitive(scope, scope.onednn.reorder(source.desc.handle, destination.desc.handle));
  return createStep(label, desc, { source, destination });
}

/** first = sum of scales[i] x terms[i]; the first term is `first` itself. */
export function addScaled(
  scope: Scope,
  label: string,
  first: Memory,
  scales: readonly number[],
  others: readonly Memory[],
): Step {
  const terms = [first, ...others];
  const handles = BigUint64Array.from(terms, ({ desc }) => desc.handle);
  const sum = scope.onednn.sum(
    first.desc.handle,
    terms.length,
    Float32Array.from(scales),
    Buffer.from(handles.buffer),
    null,
  );
  return createStepOf(label, describePrimitive(scope, sum), [
    ...terms.map((memory, i) => [argument.sources + i, memory] as const),
    [argument.destination, first],
  ]);
}
