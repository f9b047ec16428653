/**
 * tfjs-core's autograd as an oracle of the training step: networks, losses and Caffe's update are written once more in its
 * plain operations, and their gradients are derived by tfjs.
 */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { addGradConfig } from '@tensorflow/tfjs-core/dist/gradients/Add_grad.js';
import { addNGradConfig } from '@tensorflow/tfjs-core/dist/gradients/AddN_grad.js';
import { batchMatMulGradConfig } from '@tensorflow/tfjs-core/dist/gradients/BatchMatMul_grad.js';
import { castGradConfig } from '@tensorflow/tfjs-core/dist/gradients/Cast_grad.js';
import { conv2DGradConfig } from '@tensorflow/tfjs-core/dist/gradients/Conv2D_grad.js';
import { expandDimsGradConfig } from '@tensorflow/tfjs-core/dist/gradients/ExpandDims_grad.js';
import { maxPoolGradConfig } from '@tensorflow/tfjs-core/dist/gradients/MaxPool_grad.js';
import { multiplyGradConfig } from '@tensorflow/tfjs-core/dist/gradients/Multiply_grad.js';
import { divGradConfig } from '@tensorflow/tfjs-core/dist/gradients/RealDiv_grad.js';
import { reluGradConfig } from '@tensorflow/tfjs-core/dist/gradients/Relu_grad.js';
import { reshapeGradConfig } from '@tensorflow/tfjs-core/dist/gradients/Reshape_grad.js';
import { squareGradConfig } from '@tensorflow/tfjs-core/dist/gradients/Square_grad.js';
import { subGradConfig } from '@tensorflow/tfjs-core/dist/gradients/Sub_grad.js';
import { sumGradConfig } from '@tensorflow/tfjs-core/dist/gradients/Sum_grad.js';
import { transposeGradConfig } from '@tensorflow/tfjs-core/dist/gradients/Transpose_grad.js';
import type { TrainingBatch, TrainingStepOptions } from '../../src/engine/training-step.ts';
import type { NetworkSpec } from '../../src/network/architecture.ts';
import { layersOf } from '../../src/network/layers.ts';
import type { Preprocessing } from '../../src/network/preprocessing.ts';
import { copyOfWeights, type Weights } from '../../src/network/weights.ts';

tf.enableProdMode(); // no advice to install another backend
// The bundle for Node has no gradients. Only those that are needed here: all together take many seconds to load.
for (const gradient of [
  addGradConfig,
  addNGradConfig,
  batchMatMulGradConfig,
  castGradConfig,
  conv2DGradConfig,
  divGradConfig,
  expandDimsGradConfig,
  maxPoolGradConfig,
  multiplyGradConfig,
  reluGradConfig,
  reshapeGradConfig,
  squareGradConfig,
  subGradConfig,
  sumGradConfig,
  transposeGradConfig,
]) {
  tf.registerGradient(gradient);
}

type Variables = ReadonlyMap<string, tf.Variable>;

export interface AutogradResult {
  /** Mean loss of each batch, at the weights before its update. */
  readonly losses: readonly number[];
  /** Of the first batch's mean loss; weight decay is no part of it. */
  readonly gradient: Weights;
  /** After all updates. */
  readonly weights: Weights;
}

/** One update for each batch. tfjs keeps the rate out of the velocity, so it is the same for all. */
export function trainByAutograd(
  { spec, preprocessing, weights, momentum, weightDecay }: TrainingStepOptions,
  batches: readonly TrainingBatch[],
  learningRate: number,
): AutogradResult {
  const variables: Variables = new Map(
    [...copyOfWeights(weights)].map(([name, { shape, data }]) => [
      name,
      tf.variable(tf.tensor(data, [...shape])),
    ]),
  );
  const list = [...variables.values()];
  const optimizer = tf.train.momentum(learningRate, momentum);
  const read = (tensorOf: (variable: tf.Variable) => tf.Tensor): Weights =>
    new Map(
      [...variables].map(([name, variable]) => {
        const { shape } = variable;
        return [name, { shape, data: tensorOf(variable).dataSync<'float32'>() }];
      }),
    );

  const losses: number[] = [];
  let gradient: Weights | undefined;
  for (const batch of batches) {
    const { value, grads } = tf.variableGrads(() => {
      const input = prepared(batch, spec, preprocessing);
      return meanLoss(spec, networkOf(spec, variables, input, batch), batch);
    }, list);
    const decay = tf.variableGrads(() => {
      const squares = list.map((variable) => tf.sum(tf.square(variable))); // of weights and biases alike
      return tf.mul(weightDecay / 2, tf.addN(squares)) as tf.Scalar;
    }, list);
    losses.push(value.dataSync()[0]!);
    gradient ??= read(({ name }) => grads[name]!);
    const sums = list.map(({ name }) => [name, tf.add(grads[name]!, decay.grads[name]!)]);
    optimizer.applyGradients(Object.fromEntries(sums));
  }
  return { losses, gradient: gradient!, weights: read((variable) => variable) };
}

// --- helpers ---

/** Pixels as the first layer gets them, `[n, crop, crop, 3]`. */
function prepared(
  { pixels, colourShift, labels }: TrainingBatch,
  { crop }: NetworkSpec,
  { channelOrder, scale, mean, std }: Preprocessing,
): tf.Tensor4D {
  const n = labels.length;
  const rgb = tf.add(
    tf.tensor4d(Float32Array.from(pixels), [n, crop, crop, 3]),
    tf.tensor4d(colourShift, [n, 1, 1, 3]),
  );
  const ordered = channelOrder === 'bgr' ? tf.reverse(rgb, 3) : rgb;
  return tf.div(tf.sub(tf.mul(ordered, scale), tf.tensor1d([...mean])), tf.tensor1d([...std]));
}

/** What the last layer answers, `[n, outputs]`. */
function networkOf(
  spec: NetworkSpec,
  variables: Variables,
  input: tf.Tensor4D,
  { labels, dropout }: TrainingBatch,
): tf.Tensor2D {
  const n = labels.length;
  let x: tf.Tensor = input;
  for (const layer of layersOf(spec)) {
    if (layer.kind === 'pool') {
      x = tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid');
      continue;
    }
    const weight = variables.get(`${layer.name}.weight`)!;
    const bias = variables.get(`${layer.name}.bias`)!;
    if (layer.kind === 'convolution') {
      const filter = tf.transpose(weight, [2, 3, 1, 0]) as tf.Tensor4D; // [out, in, ky, kx] to [ky, kx, in, out]
      x = tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, filter, 1, 'same'), bias));
    } else {
      if (x.rank === 4) x = tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [n, -1]); // in (c, y, x) order
      x = tf.add(tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D, false, true), bias);
      const mask = dropout[layer.name === 'classifier.0' ? 0 : 1];
      if (layer.hidden) x = tf.mul(tf.relu(x), tf.tensor2d(mask, [n, spec.fc]));
    }
  }
  return x as tf.Tensor2D;
}

/** Mean over the pictures of the cross-entropy, or of sum((box - target)^2) / 2 of the true class's box. */
function meanLoss(spec: NetworkSpec, outputs: tf.Tensor2D, batch: TrainingBatch): tf.Scalar {
  const n = batch.labels.length;
  const truth = tf.oneHot(tf.tensor1d(batch.labels, 'int32'), spec.classes);
  if (spec.head === 'classes') return tf.losses.softmaxCrossEntropy(truth, outputs);
  const boxes = tf.reshape(outputs, [n, -1, 4]);
  const ofTruth = spec.head === 'scr' ? boxes : tf.mul(boxes, tf.expandDims(truth, 2));
  const box = tf.sum(ofTruth, 1);
  return tf.div(tf.sum(tf.square(tf.sub(box, tf.tensor2d(batch.boxes!, [n, 4])))), 2 * n);
}
