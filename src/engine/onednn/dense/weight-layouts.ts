import type { ForwardSpec } from '../../../network/architecture.ts';
import { fanInOf, type WeightLayer } from '../../../network/layers.ts';
import { OnednnError } from '../library/bindings.ts';
import type { DataType } from '../library/constants.ts';
import type { PrimitiveDesc } from '../primitives/primitives.ts';
import { createScope, type MemoryDesc, type Scope } from '../primitives/scope.ts';
import { slownessOf } from '../primitives/slowness.ts';
import { type ChooseWeights, type PlanWith, planMaps, planPositions } from './plan.ts';

/** Positions for which the weights of fully connected layers are laid out: that suits fewer and more as well. */
const usualPositions = 8;

/** The layout of each layer's weights that suits pictures of one crop. `scope` owns the descriptors; nothing is allocated. */
export function layoutsFor(scope: Scope, spec: ForwardSpec, type: DataType): Map<WeightLayer, MemoryDesc> {
  const layouts = new Map<WeightLayer, MemoryDesc>();
  const planning = createScope(scope.onednn);
  try {
    const choose: ChooseWeights = (layer, planWith) => {
      const plan = planWith(planning.desc(dimsOf(layer), type, 'any'));
      layouts.set(layer, scope.clone(plan.desc('weights')));
      return plan;
    };
    planMaps(planning, spec, { count: 1, height: spec.crop, width: spec.crop }, type, choose);
    planPositions(planning, spec, usualPositions, type, choose);
  } finally {
    planning.dispose();
  }
  return layouts;
}

/** Chooses plans for weights that are in memory already, in the layouts `known`, unless only another layout is fast. */
export function chooseAmong(
  scope: Scope,
  type: DataType,
  known: (layer: WeightLayer) => readonly MemoryDesc[],
): ChooseWeights {
  return (layer, planWith) => {
    const plans = known(layer).flatMap((desc) => tryPlan(planWith, desc) ?? []);
    const fast = plans.find((plan) => slownessOf(plan) === 0);
    if (fast) return fast;
    const free = planWith(scope.desc(dimsOf(layer), type, 'any'));
    return plans.find((plan) => slownessOf(plan) <= slownessOf(free)) ?? free;
  };
}

// --- helpers ---

/** Dimensions of a layer's weights as a plan reads them. */
function dimsOf(layer: WeightLayer): number[] {
  const { outputs, inputs, kernel } = layer;
  return layer.kind === 'convolution' ? [outputs, inputs, kernel, kernel] : [outputs, fanInOf(layer)];
}

function tryPlan(planWith: PlanWith, desc: MemoryDesc): PrimitiveDesc | undefined {
  try {
    return planWith(desc);
  } catch (error) {
    if (error instanceof OnednnError && error.unimplemented) return undefined;
    throw error;
  }
}
