import type { ForwardSpec } from '../../../network/architecture.ts';
import { type WeightLayer, weightLayersOf } from '../../../network/layers.ts';
import type { Preprocessing } from '../../../network/preprocessing.ts';
import type { WeightSources } from '../../../network/weights.ts';
import type { DataType } from '../library/constants.ts';
import { reorder } from '../primitives/elementwise.ts';
import { type PrimitiveDesc, runSteps } from '../primitives/primitives.ts';
import { type Memory, type Scope, sameDesc } from '../primitives/scope.ts';
import type { ChooseWeights } from './plan.ts';
import { chooseAmong, layoutsFor } from './weight-layouts.ts';
import { withScope, writeInLayout, writeMatrix } from './write-weights.ts';

/** Weights of a loaded network, shared by its programs for all shapes. */
export interface DenseWeights {
  bias(layer: WeightLayer): Memory;
  /** Chooses plans for weights that are in memory already, wherever that is as fast. */
  chooserFor(program: Scope): ChooseWeights;
  /** The weights in the layout of a chosen plan. */
  weightsFor(layer: WeightLayer, plan: PrimitiveDesc): Memory;
}

/**
 * Brings weights into memory, each tensor once. Convolutions prefer other layouts for some map widths: then one more copy
 * is made, of that layer only. (The layouts of one layer differ in the number of outputs in a block, so there are four
 * at most.) Fully connected layers, most of the weights, have one for all shapes.
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
  const blueFirst = preprocessing.channelOrder === 'bgr' ? weightLayersOf(spec)[0]!.name : undefined;

  for (const [layer, desc] of layoutsFor(scope, spec, type)) {
    const { name, inputs, outputs, kernel } = layer;
    const memory = scope.memory(desc);
    copies.set(name, [memory]);
    const stored = weights.get(`${name}.weight`)!;
    if (layer.kind === 'fullyConnected') writeMatrix(scope, layer, stored, memory);
    else {
      const dims = [outputs, inputs, kernel, kernel];
      writeInLayout(scope, dims, stored, memory, { blueFirst: name === blueFirst });
    }
    const bias = scope.memory(scope.desc([outputs], 'f32', 'rowMajor'));
    writeInLayout(scope, [outputs], weights.get(`${name}.bias`)!, bias);
    biases.set(name, bias);
  }

  return {
    bias: ({ name }) => biases.get(name)!,
    chooserFor: (program) =>
      chooseAmong(program, type, ({ name }) => copies.get(name)!.map(({ desc }) => desc)),
    weightsFor({ name }, plan) {
      const wanted = plan.desc('weights');
      const own = copies.get(name)!;
      const existing = own.find(({ desc }) => sameDesc(scope, desc, wanted));
      if (existing) return existing;
      const copy = scope.memory(scope.clone(wanted));
      withScope(scope.onednn, (working) => runSteps(working, [reorder(working, name, own[0]!, copy)]));
      own.push(copy);
      return copy;
    },
  };
}
