import type { ForwardSpec } from '../../../network/architecture.ts';
import { type WeightLayer, weightLayersOf } from '../../../network/layers.ts';
import type { Preprocessing } from '../../../network/preprocessing.ts';
import {
  copyOfTensor,
  type Tensor,
  type TensorSource,
  type WeightSources,
  writeTensor,
} from '../../../network/weights.ts';
import { exchangeRedAndBlue } from '../channel-order.ts';
import { OnednnError } from '../library/bindings.ts';
import type { DataType } from '../library/constants.ts';
import { reorder } from '../primitives/elementwise.ts';
import { type PrimitiveDesc, runSteps } from '../primitives/primitives.ts';
import { createScope, type Memory, type MemoryDesc, type Scope, sameDesc } from '../primitives/scope.ts';
import { slownessOf } from '../primitives/slowness.ts';
import { type PlanWith, planDense } from './plan.ts';

/** Weights of a loaded network, shared by its programs for all shapes. */
export interface DenseWeights {
  bias(layer: WeightLayer): Memory;
  /** Plans a layer with weights that are in memory already, wherever that is as fast as with a layout of its own. */
  choose(scope: Scope, layer: WeightLayer, planWith: PlanWith): PrimitiveDesc;
  /** The weights in the layout of a chosen plan. */
  weightsFor(layer: WeightLayer, plan: PrimitiveDesc): Memory;
}

/**
 * Brings weights into memory, each tensor once, in the layout that suits a picture of one crop. Narrow layers prefer
 * other layouts for some map widths: then one more copy is made, of that layer only. (The layouts of one layer differ in
 * the number of outputs in a block, so there are four at most.)
 */
export function createDenseWeights(
  scope: Scope,
  spec: ForwardSpec,
  preprocessing: Preprocessing,
  weights: WeightSources,
  type: DataType,
): DenseWeights {
  const biases = new Map<string, Memory>();
  const copies = new Map<string, Memory[]>();

  const planning = createScope(scope.onednn);
  try {
    const crop = { count: 1, height: spec.crop, width: spec.crop };
    planDense(planning, spec, crop, type, ({ name, outputs, inputs, kernel }, planWith) => {
      const dims = [outputs, inputs, kernel, kernel];
      const plan = planWith(planning.desc(dims, type, 'any'));
      copies.set(name, [scope.memory(scope.clone(plan.desc('weights')))]);
      return plan;
    });
    weightLayersOf(spec).forEach((layer, i) => {
      const { name, outputs, inputs, kernel } = layer;
      const stored = weights.get(`${name}.weight`)!;
      const tensor =
        i === 0 && preprocessing.channelOrder === 'bgr' ? exchangeRedAndBlue(copyOfTensor(stored)) : stored;
      write(scope, [outputs, inputs, kernel, kernel], tensor, copies.get(name)![0]!);
      const bias = scope.memory(scope.desc([outputs], 'f32', 'rowMajor'));
      write(scope, [outputs], weights.get(`${name}.bias`)!, bias);
      biases.set(name, bias);
    });
  } finally {
    planning.dispose();
  }

  return {
    bias: ({ name }) => biases.get(name)!,
    choose(program, { name, outputs, inputs, kernel }, planWith) {
      for (const { desc } of copies.get(name)!) {
        const plan = tryPlan(planWith, desc);
        if (plan && slownessOf(plan) === 0) return plan;
      }
      return planWith(program.desc([outputs, inputs, kernel, kernel], type, 'any'));
    },
    weightsFor({ name }, plan) {
      const wanted = plan.desc('weights');
      const own = copies.get(name)!;
      const existing = own.find(({ desc }) => sameDesc(scope, desc, wanted));
      if (existing) return existing;
      const copy = scope.memory(scope.clone(wanted));
      copyTo(scope, own[0]!, copy);
      own.push(copy);
      return copy;
    },
  };
}

// --- helpers ---

function write(scope: Scope, dims: readonly number[], tensor: Tensor | TensorSource, target: Memory): void {
  const staging = createScope(scope.onednn);
  try {
    const desc = staging.desc(dims, 'f32', 'rowMajor');
    const isInMemory = 'data' in tensor;
    const source = isInMemory ? staging.share(desc, tensor.data) : staging.memory(desc);
    if (!isInMemory) writeTensor(tensor, new Float32Array(scope.onednn.view(source.address, desc.bytes)));
    copyTo(staging, source, target);
  } finally {
    staging.dispose();
  }
}

function copyTo({ onednn }: Scope, source: Memory, target: Memory): void {
  const scope = createScope(onednn);
  try {
    runSteps(scope, [reorder(scope, 'weights', source, target)]);
  } finally {
    scope.dispose();
  }
}

function tryPlan(planWith: PlanWith, desc: MemoryDesc): PrimitiveDesc | undefined {
  try {
    return planWith(desc);
  } catch (error) {
    if (error instanceof OnednnError && error.unimplemented) return undefined;
    throw error;
  }
}
