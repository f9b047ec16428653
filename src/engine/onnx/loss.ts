import type { NetworkSpec } from '../../network/architecture.ts';
import type { GraphBuilder } from './model.ts';

export interface Loss {
  /** Mean over the batch, `[1]`. */
  readonly loss: string;
  /** Of `share` times the mean, by the network's outputs: of their shape `[n, outputs]`. */
  readonly gradient: string;
}

/** Adds the loss of the network's outputs `[n, outputs]` and its gradient. */
export function addLoss(
  graph: GraphBuilder,
  spec: NetworkSpec,
  n: number,
  outputs: string,
  share: string,
): Loss {
  const scale = graph.node('Div', [share, graph.floats([n])]);
  return spec.head === 'classes'
    ? crossEntropy(graph, outputs, oneHot(graph, spec, n), n, scale)
    : euclidean(graph, spec, n, outputs, scale);
}

// --- helpers ---

/** Multinomial logistic regression (paper, 3.1): -log softmax of the true class. */
function crossEntropy(graph: GraphBuilder, scores: string, truth: string, n: number, scale: string): Loss {
  const logarithms = graph.node('LogSoftmax', [scores], { axis: 1 });
  const ofTruth = sum(graph, graph.node('Mul', [logarithms, truth]));
  const difference = graph.node('Sub', [graph.node('Exp', [logarithms]), truth]);
  return {
    loss: graph.node('Mul', [ofTruth, graph.floats([-1 / n])], {}, 'loss'),
    gradient: graph.node('Mul', [difference, scale]),
  };
}

/** sum((box - target)^2) / 2 of the one box (SCR), or of the true class's (PCR; paper, appendix A). */
function euclidean(graph: GraphBuilder, spec: NetworkSpec, n: number, outputs: string, scale: string): Loss {
  const boxes = graph.node('Reshape', [outputs, graph.ints([n, -1, 4])]);
  const target = graph.input('boxes', 'float32', [n, 4]);
  let difference = graph.node('Sub', [boxes, graph.node('Unsqueeze', [target, graph.ints([1])])]);
  if (spec.head === 'pcr') {
    const chosen = graph.node('Unsqueeze', [oneHot(graph, spec, n), graph.ints([2])]);
    difference = graph.node('Mul', [difference, chosen]);
  }
  const squares = sum(graph, graph.node('Mul', [difference, difference]));
  return {
    loss: graph.node('Mul', [squares, graph.floats([0.5 / n])], {}, 'loss'),
    gradient: graph.node('Mul', [graph.node('Flatten', [difference]), scale]),
  };
}

/** `[n, classes]`: one for the true class, else zero. */
function oneHot(graph: GraphBuilder, { classes }: NetworkSpec, n: number): string {
  const labels = graph.input('labels', 'int64', [n]);
  return graph.node('OneHot', [labels, graph.ints([classes]), graph.floats([0, 1])], { axis: -1 });
}

/** Of all numbers, `[1]`. */
function sum(graph: GraphBuilder, x: string): string {
  const total = graph.node('ReduceSum', [x], { keepdims: 0 });
  return graph.node('Reshape', [total, graph.ints([1])]);
}
