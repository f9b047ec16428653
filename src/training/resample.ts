/** A picture to cut from: RGB, `[height, width, 3]`. */
export interface Source {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Part of the source in its pixels; the corners may lie between pixels. */
export interface SourceWindow {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where each output pixel reads along one axis: `taps` source pixels from `first[i]` on, with weights that sum to 2^14. */
interface AxisTaps {
  readonly taps: number;
  readonly first: Int32Array;
  readonly weights: Int32Array;
}

const weightBits = 14;
/** Bits of a weight that the intermediate row keeps, so that both passes fit in 32-bit integers. */
const rowBits = 6;

/**
 * Cuts a window out of a picture, resized to `side` x `side`, mirrored or not, into `out` from `offset` on (RGB,
 * `[side, side, 3]`). The filter is a triangle as wide as the larger of a source and an output pixel: bilinear where
 * it enlarges, antialiased where it reduces. Only the window is computed; integer arithmetic, so equal on all machines.
 */
export function cropResized(
  source: Source,
  window: SourceWindow,
  side: number,
  mirrored: boolean,
  out: Uint8Array,
  offset: number,
): void {
  const columns = axisTaps(window.x, window.width, side, source.width);
  const rows = axisTaps(window.y, window.height, side, source.height);
  const { pixels } = source;
  const stride = source.width * 3;
  const firstColumn = columns.first[0]!;
  const rowLength = (columns.first[side - 1]! + columns.taps - firstColumn) * 3;
  const row = new Int32Array(rowLength);
  for (let y = 0; y < side; y++) {
    mixRows(pixels, rows.first[y]! * stride + firstColumn * 3, stride, rows, y, row);
    mixColumns(row, columns, firstColumn, side, mirrored, out, offset + y * side * 3);
  }
}

/** One output row from the mixed source row. */
function mixColumns(
  row: Int32Array,
  { taps, first, weights }: AxisTaps,
  firstColumn: number,
  side: number,
  mirrored: boolean,
  out: Uint8Array,
  offset: number,
): void {
  const shift = weightBits + rowBits;
  const half = 1 << (shift - 1);
  for (let x = 0; x < side; x++) {
    let from = (first[x]! - firstColumn) * 3;
    let t = x * taps;
    let weight = weights[t]!;
    let red = half + weight * row[from]!;
    let green = half + weight * row[from + 1]!;
    let blue = half + weight * row[from + 2]!;
    for (const end = t + taps; ++t < end; ) {
      weight = weights[t]!;
      from += 3;
      red += weight * row[from]!;
      green += weight * row[from + 1]!;
      blue += weight * row[from + 2]!;
    }
    const to = offset + (mirrored ? side - 1 - x : x) * 3;
    out[to] = red >> shift;
    out[to + 1] = green >> shift;
    out[to + 2] = blue >> shift;
  }
}

/** One output row before its columns are mixed: the weighted sum of source rows, with `rowBits` fractional bits. */
function mixRows(
  pixels: Uint8Array,
  start: number,
  stride: number,
  rows: AxisTaps,
  y: number,
  row: Int32Array,
): void {
  const shift = weightBits - rowBits;
  const { taps } = rows;
  const weights = rows.weights.subarray(y * taps, (y + 1) * taps);
  if (weights[0] === 1 << weightBits) {
    for (let i = 0; i < row.length; i++) row[i] = pixels[start + i]! << rowBits;
    return;
  }
  const [w0 = 0, w1 = 0, w2 = 0] = weights;
  const half = 1 << (shift - 1);
  // Two or three taps are the rule: the picture is kept at the largest scale, less than three times the smallest.
  for (let i = 0, from = start; i < row.length; i++, from++) {
    let sum = half + w0 * pixels[from]! + w1 * pixels[from + stride]!;
    if (w2 !== 0) sum += w2 * pixels[from + 2 * stride]!;
    for (let t = 3; t < taps; t++) sum += weights[t]! * pixels[from + t * stride]!;
    row[i] = sum >> shift;
  }
}

/** Taps of `side` outputs over `[start, start + length)` of an axis of `size` source pixels; what lies outside has no weight. */
function axisTaps(start: number, length: number, side: number, size: number): AxisTaps {
  const ratio = length / side;
  const radius = Math.max(1, ratio);
  const taps = Math.min(size, ratio === 1 && Number.isInteger(start) ? 1 : Math.ceil(2 * radius));
  const first = new Int32Array(side);
  const weights = new Int32Array(side * taps);
  const exact = new Float64Array(taps);
  for (let i = 0; i < side; i++) {
    const centre = start + (i + 0.5) * ratio - 0.5;
    const begin = Math.min(Math.max(Math.floor(centre - radius) + 1, 0), size - taps);
    first[i] = begin;
    let sum = 0;
    for (let t = 0; t < taps; t++) {
      exact[t] = Math.max(0, 1 - Math.abs(begin + t - centre) / radius);
      sum += exact[t]!;
    }
    let rest = 1 << weightBits;
    let heaviest = 0;
    for (let t = 0; t < taps; t++) {
      const weight = sum > 0 ? Math.round((exact[t]! / sum) * (1 << weightBits)) : 0;
      weights[i * taps + t] = weight;
      rest -= weight;
      if (exact[t]! > exact[heaviest]!) heaviest = t;
    }
    weights[i * taps + heaviest]! += rest;
  }
  return { taps, first, weights };
}
