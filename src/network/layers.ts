import { architectures, type ForwardSpec, outputsOf, poolStride } from './architecture.ts';

/** Convolution of stride 1, padded so that the map keeps its size; ReLU follows. */
export interface ConvolutionLayer {
  readonly kind: 'convolution';
  /** torchvision's name: `features.0`; the tensors are `features.0.weight` `[out, in, kernel, kernel]` and `features.0.bias` `[out]`. */
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: 1 | 3;
}

/** 2x2 max-pool of stride 2 (a last odd row or column is dropped). */
export interface PoolLayer {
  readonly kind: 'pool';
  readonly channels: number;
}

/**
 * Fully connected layer, or in the dense view (paper, 3.2) an unpadded convolution of `kernel`: crop/32 for the
 * first, 1 for the others. Its weight is stored `[out, in x kernel x kernel]`, inputs in (c, y, x) order, which is
 * byte for byte the convolution's `[out, in, kernel, kernel]`.
 */
export interface FullyConnectedLayer {
  readonly kind: 'fullyConnected';
  /** torchvision's name: `classifier.0`, `classifier.3`, `classifier.6`. */
  readonly name: string;
  /** Channels of the map that it reads. */
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  /** ReLU, and dropout in training: on the first two, not on the last. */
  readonly hidden: boolean;
}

export type Layer = ConvolutionLayer | PoolLayer | FullyConnectedLayer;
export type WeightLayer = ConvolutionLayer | FullyConnectedLayer;

/** All layers of a network in order. */
export function layersOf(spec: ForwardSpec): Layer[] {
  const layers: Layer[] = [];
  let index = 0;
  let inputs = 3;
  for (const stage of architectures[spec.architecture]) {
    for (const { channels, kernel } of stage) {
      const outputs = Math.max(1, Math.round(channels * spec.width));
      layers.push({ kind: 'convolution', name: `features.${index}`, inputs, outputs, kernel });
      inputs = outputs;
      index += 2; // torchvision counts the ReLU as a layer
    }
    layers.push({ kind: 'pool', channels: inputs });
    index += 1;
  }
  const widths = [spec.fc, spec.fc, ...(spec.head === 'features' ? [] : [outputsOf(spec)])];
  widths.forEach((outputs, i) => {
    layers.push({
      kind: 'fullyConnected',
      name: `classifier.${3 * i}`,
      inputs,
      outputs,
      kernel: i === 0 ? spec.crop / poolStride : 1,
      hidden: i < 2,
    });
    inputs = outputs;
  });
  return layers;
}

/** The layers that have weights, in order. */
export function weightLayersOf(spec: ForwardSpec): WeightLayer[] {
  return layersOf(spec).filter((layer) => layer.kind !== 'pool');
}

/** A weight or bias tensor by name. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Names and shapes of all tensors of a network, as they stand in its safetensors file. */
export function tensorsOf(spec: ForwardSpec): TensorSpec[] {
  return weightLayersOf(spec).flatMap((layer) => [
    {
      name: `${layer.name}.weight`,
      shape: weightShapeOf(layer),
    },
    { name: `${layer.name}.bias`, shape: [layer.outputs] },
  ]);
}

/** Shape of a layer's weight as it is stored: `[out, in, kernel, kernel]`, or `[out, in x kernel x kernel]` of a fully connected one. */
export function weightShapeOf(layer: WeightLayer): readonly number[] {
  const { kind, outputs, inputs, kernel } = layer;
  return kind === 'convolution' ? [outputs, inputs, kernel, kernel] : [outputs, fanInOf(layer)];
}

/** Inputs that one output of the layer sums over: in x kernel x kernel. */
export function fanInOf(layer: WeightLayer): number {
  return layer.inputs * layer.kernel ** 2;
}
