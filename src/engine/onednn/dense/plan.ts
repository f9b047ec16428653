import type { ForwardSpec } from '../../../network/architecture.ts';
import { layersOf, type WeightLayer } from '../../../network/layers.ts';
import type { DataType } from '../library/constants.ts';
import { convolutionForward } from '../primitives/convolution.ts';
import { poolForward } from '../primitives/pooling.ts';
import type { PrimitiveDesc } from '../primitives/primitives.ts';
import type { MemoryDesc, Scope } from '../primitives/scope.ts';

/** Pictures of one size in one pass. */
export interface DenseShape {
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

/** A layer of the dense view, planned; `layer` where it has weights. */
export interface DenseLayer {
  readonly layer?: WeightLayer;
  readonly plan: PrimitiveDesc;
  readonly output: MemoryDesc;
}

/** Plans a layer with its weights in the layout asked for. */
export type PlanWith = (weights: MemoryDesc) => PrimitiveDesc;

/**
 * Plans the dense view (paper, 3.2) of a network for one shape: fully connected layers are convolutions without
 * padding. Maps are interleaved, which all fast implementations of the forward pass take. `choose` picks the layout of a
 * layer's weights.
 */
export function planDense(
  scope: Scope,
  spec: ForwardSpec,
  shape: DenseShape,
  type: DataType,
  choose: (layer: WeightLayer, planWith: PlanWith) => PrimitiveDesc,
): { readonly input: MemoryDesc; readonly layers: readonly DenseLayer[] } {
  const { count } = shape;
  let { height, width } = shape;
  const maps = (channels: number, of: DataType = type): MemoryDesc =>
    scope.desc([count, channels, height, width], of, 'channelsLast');

  const input = maps(3);
  let source = input;
  const all = layersOf(spec);
  const layers = all.map((layer): DenseLayer => {
    const from = source;
    if (layer.kind === 'pool') {
      height = Math.floor(height / 2);
      width = Math.floor(width / 2);
      source = maps(layer.channels);
      return { plan: poolForward(scope, from, source, 'inference'), output: source };
    }
    const isConvolution = layer.kind === 'convolution';
    const padding = isConvolution ? (layer.kernel - 1) / 2 : 0;
    height += 2 * padding + 1 - layer.kernel;
    width += 2 * padding + 1 - layer.kernel;
    const relu = isConvolution || layer.hidden;
    source = maps(layer.outputs, layer === all.at(-1) ? 'f32' : type); // answers stay float32
    const bias = scope.desc([layer.outputs], 'f32', 'rowMajor');
    const plan = choose(layer, (weights) =>
      convolutionForward(
        scope,
        { source: from, weights, bias, destination: source, padding },
        'inference',
        relu,
      ),
    );
    return { layer, plan, output: source };
  });
  return { input, layers };
}
