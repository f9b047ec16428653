import type { WeightLayer } from '../../../network/layers.ts';
import type { DataType } from '../library/constants.ts';
import { multiply, reorder } from '../primitives/elementwise.ts';
import { createStep, type PrimitiveDesc, type Step } from '../primitives/primitives.ts';
import {
  type Memory,
  type MemoryDesc,
  type Numbers,
  numbersFor,
  type Scope,
  type SharedMemory,
  sameDesc,
} from '../primitives/scope.ts';
import type { Parameters } from './parameters.ts';
import type { LayerPlan, PlannedLayer } from './plan.ts';

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
      readonly dropout?: SharedMemory;
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
  /** Prepared pixels `[batch, crop, crop, 3]`. */
  readonly input: SharedMemory<Numbers>;
  /** Scores or boxes `[batch, outputs]`. */
  readonly answers: SharedMemory;
  readonly stages: readonly Stage[];
  readonly steps: readonly Step[];
}

/** The forward pass of training: every activation is kept for the backward pass. */
export function createForwardPass(
  scope: Scope,
  planned: readonly PlannedLayer[],
  parameters: Parameters,
  shape: { readonly batch: number; readonly crop: number; readonly outputs: number; readonly type: DataType },
): ForwardPass {
  const steps: Step[] = [];
  const stages: Stage[] = [];
  const { batch, crop, outputs, type } = shape;
  const pixels = scope.desc([batch, 3, crop, crop], type, 'channelsLast');
  const input = scope.share(pixels, numbersFor(type, pixels));
  const answersDesc = scope.desc([batch, outputs], 'f32', 'rowMajor');
  const answers = scope.share(answersDesc, new Float32Array(batch * outputs));
  let current: Memory = input;

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
      const dims = [batch, layer.inputs, layer.kernel, layer.kernel];
      maps = scope.desc(dims, type, 'rowMajor');
      current = scope.memory(wanted, reordered(layer.name, maps).address);
    } else {
      current = reordered(layer.name, wanted);
    }
    const isLast = entry === planned.at(-1);
    const output = isLast ? answers : scope.memory(forward.desc('destination'));
    const { forward: weights, bias } = parameters.of(layer);
    steps.push(createStep(layer.name, forward, { source: current, weights, bias, destination: output }));
    const dropped = layer.kind === 'fullyConnected' && layer.hidden;
    const dropout = dropped
      ? scope.share(
          scope.desc([batch, layer.outputs], 'f32', 'rowMajor'),
          new Float32Array(batch * layer.outputs),
        )
      : undefined;
    if (dropout) steps.push(multiply(scope, `dropout ${layer.name}`, output, dropout));
    stages.push({ ...entry, input: current, output, ...(dropout && { dropout }), ...(maps && { maps }) });
    current = output;
  }
  return { input, answers, stages, steps };
}
