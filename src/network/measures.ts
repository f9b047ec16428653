import { type ForwardSpec, poolStride } from './architecture.ts';
import { layersOf, tensorsOf } from './layers.ts';
import { countOf } from './weights.ts';

/** Number of weights and biases (paper, Table 2: D with 1000 classes has 138,357,544). */
export function parameterCount(spec: ForwardSpec): number {
  return tensorsOf(spec).reduce((sum, { shape }) => sum + countOf(shape), 0);
}

/** Size `[h', w']` of the score map of a picture `[h, w]` in the dense view (paper, 3.2); 0 where the picture is smaller than the crop. */
export function scoreMapSize(spec: ForwardSpec, height: number, width: number): [number, number] {
  const side = (pixels: number): number =>
    Math.max(0, Math.floor(pixels / poolStride) - spec.crop / poolStride + 1);
  return [side(height), side(width)];
}

/** Floating-point operations (two a multiply-add) of the forward pass over one picture `[h, w]` in the dense view. */
export function forwardFlops(spec: ForwardSpec, height: number, width: number): number {
  let [h, w] = [height, width];
  let flops = 0;
  for (const layer of layersOf(spec)) {
    if (layer.kind === 'pool') {
      h = Math.floor(h / 2);
      w = Math.floor(w / 2);
      continue;
    }
    if (layer.kind === 'fullyConnected') {
      h = Math.max(0, h - layer.kernel + 1);
      w = Math.max(0, w - layer.kernel + 1);
    }
    flops += 2 * layer.inputs * layer.outputs * layer.kernel ** 2 * h * w;
  }
  return flops;
}

/** Side in pixels of the input square that one position of the last pooled map sees (paper, 2.3). */
export function receptiveField(spec: ForwardSpec): number {
  let field = 1;
  let step = 1;
  for (const layer of layersOf(spec)) {
    if (layer.kind === 'fullyConnected') break;
    if (layer.kind === 'pool') {
      field += step;
      step *= 2;
    } else {
      field += (layer.kernel - 1) * step;
    }
  }
  return field;
}
