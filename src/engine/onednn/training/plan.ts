import type { NetworkSpec } from '../../../network/architecture.ts';
import {
  type ConvolutionLayer,
  type FullyConnectedLayer,
  fanInOf,
  type Layer,
  layersOf,
  type WeightLayer,
  weightShapeOf,
} from '../../../network/layers.ts';
import { OnednnError } from '../library/bindings.ts';
import type { DataType } from '../library/constants.ts';
import {
  convolutionBackwardData,
  convolutionBackwardWeights,
  convolutionForward,
} from '../primitives/convolution.ts';
import {
  innerProductBackwardData,
  innerProductBackwardWeights,
  innerProductForward,
} from '../primitives/inner-product.ts';
import { poolForward } from '../primitives/pooling.ts';
import type { PrimitiveDesc } from '../primitives/primitives.ts';
import { type Layout, type MemoryDesc, type Scope, sameDesc } from '../primitives/scope.ts';
import { slownessOf } from '../primitives/slowness.ts';

/** Which gradients a layer's backward pass has to give: none where it and all before it are frozen. */
interface Gradients {
  readonly ofWeights: boolean;
  readonly ofInput: boolean;
}

/** The primitives of one weight layer in training, with the memory layouts that they ask for. */
export interface LayerPlan {
  readonly forward: PrimitiveDesc;
  readonly backwardWeights?: PrimitiveDesc;
  readonly backwardData?: PrimitiveDesc;
}

/** A layer of a network for one batch and crop, planned. */
export type PlannedLayer =
  | { readonly kind: 'weights'; readonly layer: WeightLayer; readonly plan: LayerPlan }
  | { readonly kind: 'pool'; readonly plan: PrimitiveDesc };

/** Plans all layers of a network in training, first to last. Only layers after the last frozen one get a backward pass. */
export function planTraining(
  scope: Scope,
  spec: NetworkSpec,
  batch: number,
  type: DataType,
  trainable: 'all' | 'fullyConnected',
): PlannedLayer[] {
  const planned: PlannedLayer[] = [];
  const layers = layersOf(spec);
  const layouts = layoutsFor(layers);
  let side = spec.crop;
  let previous: MemoryDesc | undefined;
  let trained = false;
  for (const layer of layers) {
    if (layer.kind === 'pool') {
      side /= 2;
      const destination = scope.desc([batch, layer.channels, side, side], type, 'any');
      planned.push({ kind: 'pool', plan: poolForward(scope, previous!, destination, 'training') });
      continue;
    }
    const ofInput = trained;
    trained ||= trainable === 'all' || layer.kind === 'fullyConnected';
    const gradients = { ofWeights: trained, ofInput };
    const plan =
      layer.kind === 'convolution'
        ? planConvolution(scope, layer, [batch, side, side], type, layouts, gradients)
        : planFullyConnected(scope, layer, batch, type, gradients);
    previous = plan.forward.desc('destination');
    planned.push({ kind: 'weights', layer, plan });
  }
  return planned;
}

// --- helpers ---

/** Convolution of maps `[batch, inputs, height, width]`, ReLU included. */
function planConvolution(
  scope: Scope,
  layer: ConvolutionLayer,
  [batch, height, width]: readonly [number, number, number],
  type: DataType,
  layouts: readonly Layout[],
  gradients: Gradients,
): LayerPlan {
  const padding = layer.kernel === 3 ? 1 : 0;
  const weightDims = weightShapeOf(layer);
  const bias = scope.desc([layer.outputs], 'f32', 'rowMajor');

  const plan = (layout: Layout): LayerPlan => {
    const source = scope.desc([batch, layer.inputs, height, width], type, layout);
    const destination = scope.desc([batch, layer.outputs, height, width], type, layout);
    const weights = scope.desc(weightDims, type, 'any');
    const descs = { source, weights, bias, destination, padding };
    const forward = convolutionForward(scope, descs, 'training', true);
    return withGradients(scope, forward, type, gradients, {
      weightDims,
      ofWeights: (weights) => convolutionBackwardWeights(scope, { ...descs, weights }, forward),
      ofInput: () => convolutionBackwardData(scope, descs, forward),
    });
  };
  return best(layouts, plan);
}

/** Fully connected layer on `[batch, inputs x kernel x kernel]`: the maps of the last pool are laid flat for the first. */
function planFullyConnected(
  scope: Scope,
  layer: FullyConnectedLayer,
  batch: number,
  type: DataType,
  gradients: Gradients,
): LayerPlan {
  const { outputs, hidden } = layer;
  const weightDims = weightShapeOf(layer);
  const descs = {
    source: scope.desc([batch, fanInOf(layer)], type, 'rowMajor'),
    weights: scope.desc(weightDims, type, 'any'),
    bias: scope.desc([outputs], 'f32', 'rowMajor'),
    destination: scope.desc([batch, outputs], type, 'rowMajor'),
  };
  // Scores and boxes stay float32 for the loss.
  const answers = scope.desc([batch, outputs], hidden ? type : 'f32', 'rowMajor');
  const forward = innerProductForward(scope, { ...descs, destination: answers }, 'training', hidden);
  return withGradients(scope, forward, type, gradients, {
    weightDims,
    ofWeights: (weights) => innerProductBackwardWeights(scope, { ...descs, weights }, forward),
    ofInput: () => innerProductBackwardData(scope, descs, forward),
  });
}

/** Ways to make the gradients of a layer. */
interface BackwardPrimitives {
  readonly weightDims: readonly number[];
  ofWeights(weights: MemoryDesc): PrimitiveDesc;
  ofInput(): PrimitiveDesc;
}

/** The plan of a layer with those gradients that are asked for. */
function withGradients(
  scope: Scope,
  forward: PrimitiveDesc,
  type: DataType,
  gradients: Gradients,
  { weightDims, ofWeights, ofInput }: BackwardPrimitives,
): LayerPlan {
  const any = scope.desc(weightDims, 'f32', 'any');
  return {
    forward,
    ...(gradients.ofWeights && {
      backwardWeights: preferLayoutOf(scope, type, forward.desc('weights'), any, ofWeights),
    }),
    ...(gradients.ofInput && { backwardData: ofInput() }),
  };
}

/**
 * Layouts of the convolutions' maps in the order of preference. Where all layers are wide, weight gradients are a little
 * faster in blocks of 16 channels, which `any` is; layers too narrow to fill blocks are up to three times faster interleaved.
 */
function layoutsFor(layers: readonly Layer[]): readonly Layout[] {
  const narrow = layers.some((layer) => layer.kind === 'convolution' && layer.outputs < 64);
  return narrow ? ['channelsLast', 'any'] : ['any', 'channelsLast'];
}

/** The first plan whose slowest implementation is of the best kind. The names decide, so every run takes the same kernels. */
function best(layouts: readonly Layout[], plan: (layout: Layout) => LayerPlan): LayerPlan {
  const plans = layouts.map(plan);
  const slowness = (of: LayerPlan): number =>
    Math.max(
      ...[of.forward, of.backwardWeights, of.backwardData].map((desc) => (desc ? slownessOf(desc) : 0)),
    );
  return plans.reduce((a, b) => (slowness(b) < slowness(a) ? b : a));
}

/**
 * A weight gradient in the layout of the forward weights (fp32 then needs no second copy of them), if that is as fast as
 * in the layout that the implementation likes best: a layout asked for can silently select plain loops.
 */
function preferLayoutOf(
  scope: Scope,
  type: DataType,
  forwardWeights: MemoryDesc,
  any: MemoryDesc,
  create: (desc: MemoryDesc) => PrimitiveDesc,
): PrimitiveDesc {
  const free = create(any);
  // Gradients are summed in fp32: the weights that a bf16 pass reads would make them bf16.
  if (type !== 'f32') return free;
  if (sameDesc(scope, free.desc('weightsGradient'), forwardWeights)) return free;
  try {
    const alike = create(forwardWeights);
    return slownessOf(alike) <= slownessOf(free) ? alike : free;
  } catch (error) {
    if (error instanceof OnednnError && error.unimplemented) return free;
    throw error;
  }
}
