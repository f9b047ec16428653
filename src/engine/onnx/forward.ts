import { type ForwardSpec, isBoxHead, outputsOf } from '../../network/architecture.ts';
import {
  type ConvolutionLayer,
  type FullyConnectedLayer,
  fanInOf,
  layersOf,
  weightShapeOf,
} from '../../network/layers.ts';
import type { Preprocessing } from '../../network/preprocessing.ts';
import { createGraph, type GraphBuilder, type LocateTensor } from './model.ts';
import { prepare } from './prepare.ts';

/**
 * The forward graph of a network in the dense view (paper, 3.2), as the bytes of an ONNX model. All sizes are symbolic,
 * so one session serves every picture.
 *
 * Inputs: `pixels` uint8 `[n, h, w, 3]` (RGB) and `mirrors` int64 `[1]`: how many of the n pictures to run mirrored as
 * well, n or 0. The views are the n pictures and then the mirror images: v n of them in all.
 *
 * Outputs: `maps` float32 `[v n, outputs, h', w']`; and of head `classes`, `posteriors` float32 `[n, classes]`: maps
 * averaged over space, softmax, mean over picture and mirror. Of head `features` there is instead of both `features`
 * float32 `[n, fc]`: the maps averaged over space, picture and mirror (appendix B).
 */
export function forwardGraph(
  spec: ForwardSpec,
  preprocessing: Preprocessing,
  locate: LocateTensor,
): Uint8Array {
  const graph = createGraph('forward');
  const pixels = graph.input('pixels', 'uint8', ['n', 'h', 'w', 3]);
  const mirrors = graph.input('mirrors', 'int64', [1]);

  let x = prepare(graph, withMirrors(graph, pixels, mirrors), preprocessing);
  const classifier: FullyConnectedLayer[] = [];
  for (const layer of layersOf(spec)) {
    if (layer.kind === 'fullyConnected') classifier.push(layer);
    else if (layer.kind === 'convolution') x = addConvolution(graph, x, layer, locate);
    else x = graph.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
  }
  const maps = addClassifier(graph, x, classifier, locate);
  const outputs = outputsOf(spec);
  if (spec.head !== 'features') {
    graph.output(maps, 'float32', ['views', outputs, 'mapHeight', 'mapWidth']);
  }
  if (!isBoxHead(spec.head)) {
    const pooled = graph.node('ReduceMean', [maps], { axes: [2, 3], keepdims: 0 }); // sum-pooling (paper, 3.2)
    const isClassifier = spec.head === 'classes';
    const ofViews = isClassifier ? graph.node('Softmax', [pooled], { axis: 1 }) : pooled;
    const name = isClassifier ? 'posteriors' : 'features';
    graph.output(addMeanOfViews(graph, ofViews, pixels, outputs, name), 'float32', ['n', outputs]);
  }
  return graph.encode();
}

// --- helpers ---

/** From `[v n, columns]` the mean over a picture's views, `[n, columns]`. */
function addMeanOfViews(
  graph: GraphBuilder,
  ofViews: string,
  pixels: string,
  columns: number,
  name: string,
): string {
  const count = graph.node('Shape', [pixels], { start: 0, end: 1 });
  const shape = graph.node('Concat', [graph.ints([-1]), count, graph.ints([columns])], { axis: 0 });
  const byView = graph.node('Reshape', [ofViews, shape]);
  return graph.node('ReduceMean', [byView], { axes: [0], keepdims: 0 }, name);
}

/** The pictures, and after them the mirror images of the first `mirrors`. */
function withMirrors(graph: GraphBuilder, pixels: string, mirrors: string): string {
  const ends = graph.node('Concat', [mirrors, graph.ints([Number.MIN_SAFE_INTEGER])], { axis: 0 });
  const [starts, axes, steps] = [graph.ints([0, -1]), graph.ints([0, 2]), graph.ints([1, -1])];
  const mirrored = graph.node('Slice', [pixels, starts, ends, axes, steps]);
  return graph.node('Concat', [pixels, mirrored], { axis: 0 });
}

function addConvolution(
  graph: GraphBuilder,
  x: string,
  layer: ConvolutionLayer,
  locate: LocateTensor,
): string {
  const { name, outputs, kernel } = layer;
  const weight = graph.external(`${name}.weight`, weightShapeOf(layer), locate);
  const bias = graph.external(`${name}.bias`, [outputs], locate);
  const padding = (kernel - 1) / 2;
  const pads = [padding, padding, padding, padding];
  const y = graph.node('Conv', [x, weight, bias], { kernel_shape: [kernel, kernel], pads });
  return graph.node('Relu', [y]);
}

/**
 * The fully connected layers at every position of the pooled map `[v n, c, h, w]`: convolutions in effect, one matrix
 * product over the windows of all pictures in form, so that a batch reads the weights (most of a network's) once.
 */
function addClassifier(
  graph: GraphBuilder,
  x: string,
  layers: readonly FullyConnectedLayer[],
  locate: LocateTensor,
): string {
  const kernel = layers[0]!.kernel;
  const byRow = graph.node('Gather', [x, windows(graph, x, 2, kernel)], { axis: 2 });
  const byColumn = graph.node('Gather', [byRow, windows(graph, x, 3, kernel)], { axis: 4 });
  // [v n, c, h', k, w', k] to a row for each window, in the weights' own order of inputs.
  const windowed = graph.node('Transpose', [byColumn], { perm: [0, 2, 4, 1, 3, 5] });
  const positions = graph.node('Shape', [windowed], { start: 0, end: 3 });
  let y = graph.node('Reshape', [windowed, graph.ints([-1, fanInOf(layers[0]!)])]);
  for (const layer of layers) {
    const { name, outputs, hidden } = layer;
    const weight = graph.external(`${name}.weight`, weightShapeOf(layer), locate);
    const bias = graph.external(`${name}.bias`, [outputs], locate);
    y = graph.node('Gemm', [y, weight, bias], { transB: 1 });
    if (hidden) y = graph.node('Relu', [y]);
  }
  const shape = graph.node('Concat', [positions, graph.ints([-1])], { axis: 0 });
  const maps = graph.node('Reshape', [y, shape]);
  return graph.node('Transpose', [maps], { perm: [0, 3, 1, 2] }, 'maps');
}

/** Indices `[windows, kernel]` of the rows or columns that each window of `x` covers along `axis`. */
function windows(graph: GraphBuilder, x: string, axis: number, kernel: number): string {
  const size = graph.node('Squeeze', [graph.node('Shape', [x], { start: axis, end: axis + 1 })]);
  const count = graph.node('Sub', [size, graph.ints([kernel - 1], [])]);
  const first = graph.node('Range', [graph.ints([0], []), count, graph.ints([1], [])]);
  const offsets = graph.ints(Array.from({ length: kernel }, (_, i) => i));
  return graph.node('Add', [graph.node('Unsqueeze', [first, graph.ints([1])]), offsets]);
}
