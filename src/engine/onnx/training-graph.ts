import type { NetworkSpec } from '../../network/architecture.ts';
import { layersOf } from '../../network/layers.ts';
import type { Preprocessing } from '../../network/preprocessing.ts';
import { convolution, type Differentiable, flatten, fullyConnected, maxPool } from './differentiable.ts';
import { addLoss } from './loss.ts';
import { createGraph } from './model.ts';
import { prepare } from './prepare.ts';
import { dataTypes } from './proto.ts';

export interface TrainingGraphOptions {
  readonly spec: NetworkSpec;
  readonly preprocessing: Preprocessing;
  /** Number of crops n. */
  readonly microBatch: number;
  readonly trainable: 'all' | 'fullyConnected';
  /** Begin the outputs with an empty sequence, `sequence` (in-place.ts says why). */
  readonly sequenceFirst: boolean;
}

/**
 * Forward and backward pass of one micro-batch as the bytes of an ONNX model.
 *
 * Inputs: `pixels` uint8 `[n, crop, crop, 3]`, `colourShift` `[n, 3, 1, 1]`, `labels` int64 `[n]` (not of head `scr`),
 * `boxes` `[n, 4]` (of both box heads), `dropout.0` and `dropout.1` `[n, fc]`, `share` `[1]`; every tensor of the
 * network by its name, and the gradient so far of each that is trained (`gradientInput`).
 * Outputs: `loss` `[1]`, the mean over the crops; and by `gradientOutput`, each gradient with `share` times the mean
 * gradient of these crops added.
 */
export function trainingGraph(options: TrainingGraphOptions): Uint8Array {
  const { spec, preprocessing, microBatch: n, trainable, sequenceFirst } = options;
  const graph = createGraph('training');
  if (sequenceFirst) {
    graph.sequenceOutput(
      graph.node('SequenceEmpty', [], { dtype: dataTypes.float32 }, 'sequence'),
      'float32',
    );
  }
  const layers = layersOf(spec);
  const steps: Differentiable[] = [];
  let side = spec.crop;
  let x = prepare(
    graph,
    graph.input('pixels', 'uint8', [n, side, side, 3]),
    preprocessing,
    graph.input('colourShift', 'float32', [n, 3, 1, 1]),
  );
  const follow = (step: Differentiable, isTrained: boolean): void => {
    x = step.output;
    if (isTrained) steps.push(step);
  };

  layers.forEach((layer, i) => {
    if (layer.kind === 'convolution') {
      const isPooled = layers[i + 1]!.kind === 'pool';
      follow(convolution(graph, x, layer, { n, side, isFirst: i === 0, isPooled }), trainable === 'all');
    } else if (layer.kind === 'pool') {
      follow(maxPool(graph, x, { n, channels: layer.channels, side }), trainable === 'all');
      side /= 2;
    } else {
      const isFirst = layers[i - 1]!.kind === 'pool';
      if (isFirst) follow(flatten(graph, x, [n, layer.inputs, side, side]), trainable === 'all');
      const mask = isFirst ? 'dropout.0' : 'dropout.1';
      const dropout = layer.hidden ? graph.input(mask, 'float32', [n, spec.fc]) : undefined;
      const isInputTrained = trainable === 'all' || !isFirst;
      follow(fullyConnected(graph, x, layer, { dropout, isInputTrained }), true);
    }
  });

  const share = graph.input('share', 'float32', [1]);
  const { loss, gradient } = addLoss(graph, spec, n, x, share);
  graph.output(loss, 'float32', [1]);
  steps.reduceRight((dy, step) => step.backward(dy), gradient);
  return graph.encode();
}
