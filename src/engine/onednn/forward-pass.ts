import type { WeightLayer } from '../../network/layers.ts';
import type { DataType } from './constants.ts';
import type { Parameters } from './parameters.ts';
import type { LayerPlan, PlannedLayer } from './plan.ts';
import { createStep, multiply, type PrimitiveDesc, reorder, type Step } from './primitives.ts';
import { type Memory, type MemoryDesc, type Scope, sameDesc } from './scope.ts';

/** A layer with the memories that its forward pass reads and writes. */
export type Stage =
  | {
      readonly kind: 'weights';
      readonly layer: WeightLayer;
      readonly plan: LayerPlan;
      readonly input: Memory;
      /** After ReLU and dropout. */
      readonly output: Memory;
      /** Factors of dropout, `[batch, fc]`, after the first two fully connected layers. */
      readonly dropout?: Memory;
      /** The maps that were laid flat for the first fully connected layer. */
      readonly maps?: MemoryDesc;
    }
  | {
      readonly kind: 'pool';
      readonly plan: PrimitiveDesc;
      readonly input: Memory;
      readonly output: Memory;
      /** Which of the four was the maximum. */
      readonly workspace: Memory;
    };

export interface ForwardPass {
  /** Prepared pixels `[batch, 3, crop, crop]`, as planes or interleaved. */
  readonly input: { readonly memory: Memory; readonly layout: 'rowMajor' | 'channelsLast' };
  readonly stages: readonly Stage[];
  readonly steps: readonly Step[];
}

/** The forward pass of training: every activation is kept for the backward pass. */
export function createForwardPass(
  scope: Scope,
  planned: readonly PlannedLayer[],
  parameters: Parameters,
  shape: { readonly batch: number; readonly crop: number; readonly type: DataType },
): ForwardPass {
  const steps: Step[] = [];
  const stages: Stage[] = [];
  const input = inputOf(scope, planned[0]!, shape);
  let current = input.memory;

  const reordered = (label: string, wanted: MemoryDesc): Memory => {
    if (sameDesc(scope, current.desc, wanted)) return current;
    const result = scope.memory(wanted);
    steps.push(reorder(scope, `reorder ${label}`, current, result));
    return result;
  };

  for (const entry of planned) {
    if (entry.kind === 'pool') {
      const output = scope.memory(entry.plan.desc('destination'));
      const workspace = scope.memory(entry.plan.desc('workspace'));
      steps.push(createStep('pool', entry.plan, { source: current, destination: output, workspace }));
      stages.push({ ...entry, input: current, output, workspace });
      current = output;
      continue;
    }
    const { layer } = entry;
    const { forward } = entry.plan;
    const wanted = forward.desc('source');
    let maps: MemoryDesc | undefined;
    if (stages.at(-1)?.kind === 'pool' && layer.kind === 'fullyConnected') {
      // Planes are the (c, y, x) order of the weights' inputs.
      const dims = [shape.batch, layer.inputs, layer.kernel, layer.kernel];
      maps = scope.desc(dims, shape.type, 'rowMajor');
      current = scope.memory(wanted, reordered(layer.name, maps).address);
    } else {
      current = reordered(layer.name, wanted);
    }
    const output = scope.memory(forward.desc('destination'));
    const { forward: weights, bias } = parameters.of(layer);
    steps.push(createStep(layer.name, forward, { source: current, weights, bias, destination: output }));
    const dropped = layer.kind === 'fullyConnected' && layer.hidden;
    const dropout = dropped
      ? scope.memory(scope.desc([shape.batch, layer.outputs], 'f32', 'rowMajor'))
      : undefined;
    if (dropout) steps.push(multiply(scope, `dropout ${layer.name}`, output, dropout));
    stages.push({ ...entry, input: current, output, ...(dropout && { dropout }), ...(maps && { maps }) });
    current = output;
  }
  return { input, stages, steps };
}

// --- helpers ---

/** The layout of the first convolution where pixels can be written in it, else interleaved. */
function inputOf(
  scope: Scope,
  first: PlannedLayer,
  { batch, crop, type }: { readonly batch: number; readonly crop: number; readonly type: DataType },
): ForwardPass['input'] {
  if (first.kind !== 'weights') throw new TypeError('expected a network that starts with a convolution');
  const wanted = first.plan.forward.desc('source');
  const [planes, interleaved] = (['rowMajor', 'channelsLast'] as const).map((layout) =>
    scope.desc([batch, 3, crop, crop], type, layout),
  );
  return sameDesc(scope, wanted, planes!)
    ? { memory: scope.memory(planes!), layout: 'rowMajor' }
    : { memory: scope.memory(interleaved!), layout: 'channelsLast' };
}
