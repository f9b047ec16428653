import type { Preprocessing } from '../../network/preprocessing.ts';
import type { GraphBuilder } from './model.ts';
import { dataTypes } from './proto.ts';

/**
 * Pixels `[n, h, w, 3]` to the network's input `[n, 3, h, w]`: (pixel x scale - mean) / std; a colour shift `[n, 3, 1, 1]`
 * is added to the pixels first. The mean is not folded into the first layer's bias: that layer's zero padding belongs
 * to the prepared picture.
 */
export function prepare(
  graph: GraphBuilder,
  pixels: string,
  { channelOrder, scale, mean, std }: Preprocessing,
  colourShift?: string,
): string {
  let x = graph.node('Transpose', [pixels], { perm: [0, 3, 1, 2] });
  x = graph.node('Cast', [x], { to: dataTypes.float32 });
  if (colourShift) x = graph.node('Add', [x, colourShift]);
  if (channelOrder === 'bgr') x = graph.node('Gather', [x, graph.ints([2, 1, 0])], { axis: 1 });
  const factors = std.map((deviation) => scale / deviation);
  if (factors.some((factor) => factor !== 1)) x = graph.node('Mul', [x, graph.floats(factors, [3, 1, 1])]);
  const offsets = mean.map((m, c) => m / std[c]!);
  return graph.node('Sub', [x, graph.floats(offsets, [3, 1, 1])]);
}
