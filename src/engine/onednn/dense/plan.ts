import type { ForwardSpec } from '../../../network/architecture.ts';
import {
  type ConvolutionLayer,
  type FullyConnectedLayer,
  fanInOf,
  layersOf,
  type PoolLayer,
  type WeightLayer,
} from '../../../network/layers.ts';
import type { DataType } from '../library/constants.ts';
import { convolutionForward } from '../primitives/convolution.ts';
import { innerProductForward } from '../primitives/inner-product.ts';
import { poolForward } from '../primitives/pooling.ts';
import type { PrimitiveDesc } from '../primitives/primitives.ts';
import type { MemoryDesc, Scope } from '../primitives/scope.ts';
import { type MapShape, mapLayersOf, mapSizesOf, type Size } from './shape.ts';

/** A layer with the primitive that computes it. */
export interface PlannedLayer<Layer> {
  readonly layer: Layer;
  readonly plan: PrimitiveDesc;
}

export interface PlannedMapLayer extends PlannedLayer<ConvolutionLayer | PoolLayer> {
  /** Size of the maps that it gives. */
  readonly size: Size;
}

/** Plans a layer with its weights in the layout asked for. */
export type PlanWith = (weights: MemoryDesc) => PrimitiveDesc;

/** Picks the layout of a layer's weights. */
export type ChooseWeights = (layer: WeightLayer, planWith: PlanWith) => PrimitiveDesc;

/** Plans the convolutions and pools. Maps are interleaved, which all fast implementations of the forward pass take. */
export function planMaps(
  scope: Scope,
  spec: ForwardSpec,
  shape: MapShape,
  type: DataType,
  choose: ChooseWeights,
): PlannedMapLayer[] {
  const layers = mapLayersOf(spec);
  const sizes = mapSizesOf(layers, shape);
  const maps = (channels: number, { height, width }: Size): MemoryDesc =>
    scope.desc([shape.count, channels, height, width], type, 'channelsLast');
  return layers.map((layer, i) => {
    const size = sizes[i + 1]!;
    if (layer.kind === 'pool') {
      const [source, destination] = [maps(layer.channels, sizes[i]!), maps(layer.channels, size)];
      return { layer, size, plan: poolForward(scope, source, destination, 'inference') };
    }
    const descs = {
      source: maps(layer.inputs, sizes[i]!),
      bias: scope.desc([layer.outputs], 'f32', 'rowMajor'),
      destination: maps(layer.outputs, size),
      padding: (layer.kernel - 1) / 2,
    };
    const plan = choose(layer, (weights) =>
      convolutionForward(scope, { ...descs, weights }, 'inference', true),
    );
    return { layer, size, plan };
  });
}

/**
 * Plans the fully connected layers over so many positions (paper, 3.2), whose windows lie side by side as rows of a
 * matrix (gather.ts). As convolutions they are plain loops for some shapes, want their weights in other layouts for others,
 * and read them anew for each picture. Answers stay float32.
 */
export function planPositions(
  scope: Scope,
  spec: ForwardSpec,
  positions: number,
  type: DataType,
  choose: ChooseWeights,
): PlannedLayer<FullyConnectedLayer>[] {
  const layers = layersOf(spec).filter((layer) => layer.kind === 'fullyConnected');
  return layers.map((layer) => {
    const outputType = layer === layers.at(-1) ? 'f32' : type;
    const descs = {
      source: scope.desc([positions, fanInOf(layer)], type, 'rowMajor'),
      bias: scope.desc([layer.outputs], 'f32', 'rowMajor'),
      destination: scope.desc([positions, layer.outputs], outputType, 'rowMajor'),
    };
    const plan = choose(layer, (weights) =>
      innerProductForward(scope, { ...descs, weights }, 'inference', layer.hidden),
    );
    return { layer, plan };
  });
}
