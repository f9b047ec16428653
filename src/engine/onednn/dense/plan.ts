import type { ForwardSpec } from '../../../network/architecture.ts';
import {
  type ConvolutionLayer,
  type FullyConnectedLayer,
  fanInOf,
  type Layer,
  layersOf,
  type WeightLayer,
} from '../../../network/layers.ts';
import type { DataType } from '../library/constants.ts';
import { convolutionForward } from '../primitives/convolution.ts';
import { innerProductForward } from '../primitives/inner-product.ts';
import { poolForward } from '../primitives/pooling.ts';
import type { PrimitiveDesc } from '../primitives/primitives.ts';
import type { MemoryDesc, Scope } from '../primitives/scope.ts';

/** Pictures of one size in one pass, or the maps made of them. */
export interface DenseShape {
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

/** A layer of the dense view, planned. */
export interface DenseLayer {
  readonly layer: Layer;
  readonly plan: PrimitiveDesc;
  /** Maps that one run of the plan reads. */
  readonly from: DenseShape;
  /** Runs of the plan, one after another, each over the next pictures. */
  readonly runs: number;
  /** Maps of all pictures. */
  readonly output: MemoryDesc;
}

/** Plans a layer with its weights in the layout asked for. */
export type PlanWith = (weights: MemoryDesc) => PrimitiveDesc;

/** Picks the layout of a layer's weights. */
export type ChooseWeights = (layer: WeightLayer, planWith: PlanWith) => PrimitiveDesc;

/** Positions that fully connected layers see in one run: the weights are read once for so many, the windows copied. */
const maxPositions = 256;

/**
 * Plans the dense view (paper, 3.2) of a network for one shape. A fully connected layer is an inner product over the
 * windows of all positions of several pictures (gather.ts): as a convolution, it is plain loops for some shapes, wants its
 * weights in other layouts for others, and reads them anew for each picture. Maps are interleaved, which all fast
 * implementations of the forward pass take.
 */
export function planDense(
  scope: Scope,
  spec: ForwardSpec,
  shape: DenseShape,
  type: DataType,
  choose: ChooseWeights,
): { readonly input: MemoryDesc; readonly layers: readonly DenseLayer[] } {
  const all = layersOf(spec);
  let from = shape;
  const layers = all.map((layer): DenseLayer => {
    const to = shapeAfter(layer, from);
    const outputType = layer === all.at(-1) ? 'f32' : type; // answers stay float32
    const pass = { scope, from, to, type, outputType, choose } as const;
    from = to;
    if (layer.kind === 'pool') return planPool(pass, layer);
    return layer.kind === 'convolution' ? planConvolution(pass, layer) : planFullyConnected(pass, layer);
  });
  return { input: maps(scope, shape, 3, type), layers };
}

// --- helpers ---

/** From maps of one shape to those of another. */
interface Pass {
  readonly scope: Scope;
  readonly from: DenseShape;
  readonly to: DenseShape;
  readonly type: DataType;
  readonly outputType: DataType;
  readonly choose: ChooseWeights;
}

function shapeAfter(layer: Layer, { count, height, width }: DenseShape): DenseShape {
  if (layer.kind === 'pool') return { count, height: Math.floor(height / 2), width: Math.floor(width / 2) };
  if (layer.kind === 'convolution') return { count, height, width };
  return { count, height: height + 1 - layer.kernel, width: width + 1 - layer.kernel };
}

function maps(
  scope: Scope,
  { count, height, width }: DenseShape,
  channels: number,
  type: DataType,
): MemoryDesc {
  return scope.desc([count, channels, height, width], type, 'channelsLast');
}

function planPool({ scope, from, to, type }: Pass, layer: Extract<Layer, { kind: 'pool' }>): DenseLayer {
  const output = maps(scope, to, layer.channels, type);
  const plan = poolForward(scope, maps(scope, from, layer.channels, type), output, 'inference');
  return { layer, plan, from, runs: 1, output };
}

function planConvolution(pass: Pass, layer: ConvolutionLayer): DenseLayer {
  const { scope, from, to, type, outputType, choose } = pass;
  const output = maps(scope, to, layer.outputs, outputType);
  const descs = {
    source: maps(scope, from, layer.inputs, type),
    bias: scope.desc([layer.outputs], 'f32', 'rowMajor'),
    destination: output,
    padding: (layer.kernel - 1) / 2,
  };
  const plan = choose(layer, (weights) =>
    convolutionForward(scope, { ...descs, weights }, 'inference', true),
  );
  return { layer, plan, from, runs: 1, output };
}

function planFullyConnected(pass: Pass, layer: FullyConnectedLayer): DenseLayer {
  const { scope, from, to, type, outputType, choose } = pass;
  const positions = to.height * to.width;
  const count = largestDivisor(to.count, maxPositions / positions);
  const descs = {
    source: scope.desc([count * positions, fanInOf(layer)], type, 'rowMajor'),
    bias: scope.desc([layer.outputs], 'f32', 'rowMajor'),
    destination: scope.desc([count * positions, layer.outputs], outputType, 'rowMajor'),
  };
  const plan = choose(layer, (weights) =>
    innerProductForward(scope, { ...descs, weights }, 'inference', layer.hidden),
  );
  const output = maps(scope, to, layer.outputs, outputType);
  return { layer, plan, from: { ...from, count }, runs: to.count / count, output };
}

/** The largest divisor of `n` up to `limit`, at least 1. */
function largestDivisor(n: number, limit: number): number {
  for (let divisor = Math.floor(Math.min(n, limit)); divisor > 1; divisor--) {
    if (n % divisor === 0) return divisor;
  }
  return 1;
}
