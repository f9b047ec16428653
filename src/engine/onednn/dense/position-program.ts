import type { ForwardSpec } from '../../../network/architecture.ts';
import type { DataType } from '../library/constants.ts';
import type { Onednn } from '../library/library.ts';
import { createStep, runSteps } from '../primitives/primitives.ts';
import { arrayOver, buildIn, type Numbers } from '../primitives/scope.ts';
import { type BlockScope, createBlockScope, type SharedBlock } from '../primitives/shared-block.ts';
import { createWorkspace } from '../primitives/workspace.ts';
import { planPositions } from './plan.ts';
import type { DenseWeights } from './weights.ts';

/** The fully connected layers of one network over so many positions. */
export interface PositionProgram {
  /** Bytes of the shared block that a run uses: windows, activations and answers. */
  readonly blockBytes: number;
  /** The matrix of windows `[positions, kernel x kernel x channels]`, to be written before `run`, and before another `open`. */
  open(): Numbers;
  /** `read` gets the answers `[positions, outputs]`, valid inside the call only. */
  run(read: (answers: Float32Array) => void): void;
  dispose(): void;
}

export function createPositionProgram(
  onednn: Onednn,
  block: SharedBlock,
  spec: ForwardSpec,
  weights: DenseWeights,
  positions: number,
  type: DataType,
): PositionProgram {
  return buildIn(createBlockScope(onednn), (scope) => build(scope, block, spec, weights, positions, type));
}

// --- helpers ---

function build(
  scope: BlockScope,
  block: SharedBlock,
  spec: ForwardSpec,
  weights: DenseWeights,
  positions: number,
  type: DataType,
): PositionProgram {
  const planned = planPositions(scope, spec, positions, type, weights.chooserFor(scope));
  const workspace = createWorkspace(scope);
  const matrix = workspace.take(planned[0]!.plan.desc('source'));
  let current = matrix;
  const steps = planned.map(({ layer, plan }) => {
    const destination = workspace.take(plan.desc('destination'));
    const step = createStep(layer.name, plan, {
      source: current,
      weights: weights.weightsFor(layer, plan),
      bias: weights.bias(layer),
      destination,
    });
    workspace.give(current);
    current = destination;
    return step;
  });
  return {
    blockBytes: scope.blockBytes,
    open() {
      scope.bind(block.reserve(scope.blockBytes));
      return scope.view(matrix, (buffer) => arrayOver(type, buffer));
    },
    run(read) {
      runSteps(scope, steps);
      read(scope.view(current, (buffer) => new Float32Array(buffer)));
    },
    dispose: scope.dispose,
  };
}
