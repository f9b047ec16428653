import type { ForwardSpec } from '../../../network/architecture.ts';
import type { DataType } from '../library/constants.ts';
import type { Onednn } from '../library/library.ts';
import { createSteps, runSteps, type Step } from '../primitives/primitives.ts';
import { arrayOver, type Memory, type MemoryDesc, type Numbers, type Scope } from '../primitives/scope.ts';
import { type BlockScope, createBlockScope, type SharedBlock } from '../primitives/shared-block.ts';
import { createWorkspace, type Workspace } from '../primitives/workspace.ts';
import { gatherWindows } from './gather.ts';
import { type DenseLayer, type DenseShape, planDense } from './plan.ts';
import type { DenseWeights } from './weights.ts';

/** The forward pass of one network over pictures of one shape. */
export interface DenseProgram {
  /** Bytes of the shared block that a run uses: pixels, activations, answers and what primitives work in. */
  readonly blockBytes: number;
  /**
   * `write` puts prepared pixels `[count, height, width, 3]`, interleaved, into its array; `read` gets the answers
   * `[count, h', w', outputs]`. Both arrays are valid inside the calls only.
   */
  run(write: (input: Numbers) => void, read: (answers: Float32Array) => void): void;
  dispose(): void;
}

export function createDenseProgram(
  onednn: Onednn,
  block: SharedBlock,
  spec: ForwardSpec,
  weights: DenseWeights,
  shape: DenseShape,
  type: DataType,
): DenseProgram {
  const scope = createBlockScope(onednn);
  try {
    return build(scope, block, spec, weights, shape, type);
  } catch (error) {
    scope.dispose();
    throw error;
  }
}

// --- helpers ---

function build(
  scope: BlockScope,
  block: SharedBlock,
  spec: ForwardSpec,
  weights: DenseWeights,
  shape: DenseShape,
  type: DataType,
): DenseProgram {
  const { input: pixels, layers } = planDense(scope, spec, shape, type, weights.chooserFor(scope));
  const workspace = createWorkspace(scope);
  const input = workspace.take(pixels);
  const steps: Step[] = [];
  let current: Memory = input;
  for (const planned of layers) {
    const next = workspace.take(planned.output);
    steps.push(...stepsOf(scope, planned, type, weights, workspace, current, next));
    workspace.give(current);
    current = next;
  }
  const answers = current;
  return {
    blockBytes: scope.blockBytes,
    run(write, read) {
      scope.bind(block.reserve(scope.blockBytes));
      write(scope.view(input, (buffer) => arrayOver(type, buffer)));
      runSteps(scope, steps);
      read(scope.view(answers, (buffer) => new Float32Array(buffer)));
    },
    dispose: scope.dispose,
  };
}

/** The runs of a layer, each over its part of the maps. */
function stepsOf(
  scope: Scope,
  { layer, plan, from, runs }: DenseLayer,
  type: DataType,
  weights: DenseWeights,
  workspace: Workspace,
  input: Memory,
  output: Memory,
): Step[] {
  const label = layer.kind === 'pool' ? 'pool' : layer.name;
  const parameters = layer.kind !== 'pool' && {
    weights: weights.weightsFor(layer, plan),
    bias: weights.bias(layer),
  };
  // A window as large as the map is a row already.
  const gathers =
    layer.kind === 'fullyConnected' &&
    (from.height > layer.kernel || from.width > layer.kernel) &&
    layer.kernel > 1;
  const windows = gathers ? workspace.take(plan.desc('source')) : undefined;
  const gathered: Step[][] = [];
  const memories = Array.from({ length: runs }, (_, i) => {
    const destination = part(scope, output, plan.desc('destination'), i, runs);
    if (!gathers || !windows)
      return { ...parameters, source: part(scope, input, plan.desc('source'), i, runs), destination };
    const maps = scope.desc([from.count, layer.inputs, from.height, from.width], type, 'channelsLast');
    gathered.push(gatherWindows(scope, layer, type, from, part(scope, input, maps, i, runs), windows));
    return { ...parameters, source: windows, destination };
  });
  if (windows) workspace.give(windows);
  return createSteps(label, plan, memories).flatMap((step, i) => [...(gathered[i] ?? []), step]);
}

/** One of so many equal parts of a memory, as `desc` sees it. */
function part(scope: Scope, memory: Memory, desc: MemoryDesc, index: number, parts: number): Memory {
  if (desc.bytes * parts !== memory.desc.bytes) {
    throw new RangeError(`expected ${parts} times ${desc.bytes} bytes, received ${memory.desc.bytes}`);
  }
  return scope.memory(desc, memory.address + BigInt(index * desc.bytes));
}
