import type { ForwardSpec } from '../../../network/architecture.ts';
import { bytesOf, type DataType } from '../library/constants.ts';
import type { Onednn } from '../library/library.ts';
import { createStep, runSteps, type Step } from '../primitives/primitives.ts';
import { createScope, type Memory, type Numbers, numbersFor, type Scope } from '../primitives/scope.ts';
import { createWorkspace } from '../primitives/workspace.ts';
import { type DenseShape, planDense } from './plan.ts';
import type { DenseWeights } from './weights.ts';

/** The forward pass of one network over pictures of one shape. */
export interface DenseProgram {
  /** Prepared pixels `[count, height, width, 3]`, interleaved, to be written before a run. */
  readonly input: Numbers;
  /** Answers of the last run, `[count, h', w', outputs]`. */
  readonly output: Float32Array;
  /** Memory for activations, pixels and answers. */
  readonly bytes: number;
  run(): void;
  dispose(): void;
}

export function createDenseProgram(
  onednn: Onednn,
  spec: ForwardSpec,
  weights: DenseWeights,
  shape: DenseShape,
  type: DataType,
): DenseProgram {
  const scope = createScope(onednn);
  try {
    return build(scope, spec, weights, shape, type);
  } catch (error) {
    scope.dispose();
    throw error;
  }
}

// --- helpers ---

function build(
  scope: Scope,
  spec: ForwardSpec,
  weights: DenseWeights,
  shape: DenseShape,
  type: DataType,
): DenseProgram {
  const planned = planDense(scope, spec, shape, type, (layer, planWith) =>
    weights.choose(scope, layer, planWith),
  );
  const workspace = createWorkspace(scope);
  const input = scope.share(planned.input, numbersFor(type, planned.input));
  const answers = planned.layers.at(-1)!.output;
  const output = scope.share(answers, new Float32Array(answers.bytes / bytesOf.f32));
  const steps: Step[] = [];
  let current: Memory = input;
  for (const { layer, plan, output: desc } of planned.layers) {
    const next = desc === answers ? output : workspace.take(desc);
    const parameters: { weights?: Memory; bias?: Memory } = layer
      ? { weights: weights.weightsFor(layer, plan), bias: weights.bias(layer) }
      : {};
    steps.push(
      createStep(layer?.name ?? 'pool', plan, { source: current, ...parameters, destination: next }),
    );
    workspace.give(current);
    current = next;
  }
  return {
    input: input.array,
    output: output.array,
    bytes: scope.allocatedBytes + input.array.byteLength + output.array.byteLength,
    run: () => runSteps(scope, steps),
    dispose: scope.dispose,
  };
}
