import { type ConvolutionLayer, type FullyConnectedLayer, weightShapeOf } from '../../network/layers.ts';
import type { GraphBuilder } from './model.ts';

/** A step of the forward pass that knows its way back. */
export interface Differentiable {
  readonly output: string;
  /** Adds what makes the gradients of its own tensors, and returns the gradient of its input from that of its output. */
  readonly backward: (dy: string) => string;
}

/** The gradient of a tensor as the graph receives it, and as it answers it. */
export const gradientInput = (tensor: string): string => `${tensor}.gradient`;
export const gradientOutput = (tensor: string): string => `${tensor}.gradient.sum`;

interface ConvolutionPlace {
  /** Pictures in the batch. */
  readonly n: number;
  /** Height and width of the map. */
  readonly side: number;
  /** The first layer's input needs no gradient. */
  readonly isFirst: boolean;
  /** A pool follows, whose backward pass has already closed the gate of this ReLU. */
  readonly isPooled: boolean;
}

/** Convolution and ReLU of `[n, in, side, side]`. */
export function convolution(
  graph: GraphBuilder,
  x: string,
  layer: ConvolutionLayer,
  { n, side, isFirst, isPooled }: ConvolutionPlace,
): Differentiable {
  const { name, inputs, outputs, kernel } = layer;
  const shape = weightShapeOf(layer);
  const weight = graph.input(`${name}.weight`, 'float32', shape);
  const bias = graph.input(`${name}.bias`, 'float32', [outputs]);
  const padding = (kernel - 1) / 2;
  const attributes = { kernel_shape: [kernel, kernel], pads: Array<number>(4).fill(padding) };
  const output = graph.node('Relu', [graph.node('Conv', [x, weight, bias], attributes)]);

  /** A convolution of the gradient by the weights turned by 180 degrees, inputs and outputs exchanged. */
  const inputGradient = (dz: string): string => {
    const taps = graph.node('Reshape', [weight, graph.ints([outputs, inputs, kernel ** 2])]);
    const reversed = graph.ints(Array.from({ length: kernel ** 2 }, (_, i) => kernel ** 2 - 1 - i));
    const turned = graph.node('Gather', [taps, reversed], { axis: 2 });
    const exchanged = graph.node('Transpose', [turned], { perm: [1, 0, 2] });
    const weights = graph.node('Reshape', [exchanged, graph.ints([inputs, outputs, kernel, kernel])]);
    return graph.node('Conv', [dz, weights], attributes);
  };

  /**
   * One dilated convolution without a copy of every window: the input `[1, n, side, side x in]`, pictures as its
   * channels, by the gradient `[out, n, side, side]` as its weights gives `[1, out, kernel, kernel x in]`.
   */
  const weightGradient = (dz: string): string => {
    const pixelsFirst = graph.node('Transpose', [x], { perm: [0, 2, 3, 1] });
    const wide = graph.node('Reshape', [pixelsFirst, graph.ints([1, n, side, side * inputs])]);
    const byOutput = graph.node('Transpose', [dz], { perm: [1, 0, 2, 3] });
    const taps = graph.node('Conv', [wide, byOutput], {
      kernel_shape: [side, side],
      dilations: [1, inputs],
      pads: [padding, padding * inputs, padding, padding * inputs],
    });
    const tapsFirst = graph.node('Reshape', [taps, graph.ints([outputs, kernel, kernel, inputs])]);
    return graph.node('Transpose', [tapsFirst], { perm: [0, 3, 1, 2] });
  };

  return {
    output,
    backward(dy) {
      const dz = isPooled ? dy : throughRelu(graph, dy, output);
      accumulate(graph, `${name}.weight`, shape, weightGradient(dz));
      accumulate(graph, `${name}.bias`, [outputs], sumOver(graph, dz, [0, 2, 3]));
      return isFirst ? dz : inputGradient(dz);
    },
  };
}

/** 2x2 max-pool of a ReLU's output. Of equal maxima the first one takes the gradient, as in Caffe and cuDNN. */
export function maxPool(
  graph: GraphBuilder,
  x: string,
  { n, channels, side }: { readonly n: number; readonly channels: number; readonly side: number },
): Differentiable {
  const window = { kernel_shape: [2, 2], strides: [2, 2] };
  const [output, indices] = graph.nodeOfTwo('MaxPool', [x], window);
  return {
    output,
    // The maximum is zero exactly where the ReLU's gate is closed, and the pooled map is a quarter of the size.
    backward: (dy) =>
      graph.node(
        'MaxUnpool',
        [throughRelu(graph, dy, output), indices, graph.ints([n, channels, side, side])],
        window,
      ),
  };
}

/** `[n, c, h, w]` to `[n, c h w]`. */
export function flatten(graph: GraphBuilder, x: string, shape: readonly number[]): Differentiable {
  return {
    output: graph.node('Flatten', [x]),
    backward: (dy) => graph.node('Reshape', [dy, graph.ints(shape)]),
  };
}

/**
 * Fully connected layer of `[n, in]`; a hidden one with ReLU and then the dropout mask `[n, out]`. The gradient of its
 * input, most of the work after a large map, is left out if nothing before it is trained.
 */
export function fullyConnected(
  graph: GraphBuilder,
  x: string,
  layer: FullyConnectedLayer,
  { dropout, isInputTrained }: { readonly dropout: string | undefined; readonly isInputTrained: boolean },
): Differentiable {
  const { name, outputs } = layer;
  const shape = weightShapeOf(layer);
  const weight = graph.input(`${name}.weight`, 'float32', shape);
  const bias = graph.input(`${name}.bias`, 'float32', [outputs]);
  const z = graph.node('Gemm', [x, weight, bias], { transB: 1 });
  const active = dropout && graph.node('Relu', [z]);
  return {
    output: active ? graph.node('Mul', [active, dropout]) : z,
    backward(dy) {
      const dz = active ? throughRelu(graph, graph.node('Mul', [dy, dropout]), active) : dy;
      const soFar = graph.input(gradientInput(`${name}.weight`), 'float32', shape);
      const sum = graph.node('Gemm', [dz, x, soFar], { transA: 1 }, gradientOutput(`${name}.weight`));
      graph.output(sum, 'float32', shape);
      accumulate(graph, `${name}.bias`, [outputs], sumOver(graph, dz, [0]));
      return isInputTrained ? graph.node('Gemm', [dz, weight]) : dz;
    },
  };
}

// --- helpers ---

/** Gradient of a ReLU's input: that of its output `y` where y is positive. The steepest hard sigmoid is 0 at 0 and 1 above. */
function throughRelu(graph: GraphBuilder, dy: string, y: string): string {
  const steepest = { alpha: { float: 3e38 }, beta: { float: 0 } };
  return graph.node('Mul', [dy, graph.node('HardSigmoid', [y], steepest)]);
}

function sumOver(graph: GraphBuilder, x: string, axes: readonly number[]): string {
  return graph.node('ReduceSum', [x, graph.ints(axes)], { keepdims: 0 });
}

/**
 * Adds `gradient` to what the graph has received for the tensor, as an output. Nothing else reads what it received:
 * both are the same memory (in-place.ts).
 */
function accumulate(graph: GraphBuilder, tensor: string, shape: readonly number[], gradient: string): void {
  const soFar = graph.input(gradientInput(tensor), 'float32', shape);
  graph.output(graph.node('Add', [soFar, gradient], {}, gradientOutput(tensor)), 'float32', shape);
}
