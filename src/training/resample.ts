import { resampleKernel } from './resample-kernel.ts';

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

/**
 * Where each output pixel reads along one axis: `2 * pairs` source pixels from `first[i]` on, with weights that sum to
 * 2^14. The kernel makes four outputs at a time: what fills up the last four reads what the first one reads, with weights of 0.
 */
interface AxisTaps {
  readonly pairs: number;
  readonly first: Int32Array;
  readonly weights: Int16Array;
}

const weightBits = 14;

/** The kernel's vectors read and write up to this many bytes past the end. */
const slack = 64;

/** Parameters as in resample-kernel.wat. */
interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  resample(...addressesAndCounts: number[]): void;
}

/** Of all Node versions; their types do not have it. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object) => { readonly exports: unknown };
  };
};
const kernel = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(resampleKernel, 'base64')))
  .exports as Kernel;

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
  const columns = axisTaps(window.x, window.width, side, source.width, mirrored);
  const rows = axisTaps(window.y, window.height, side, source.height, false);
  const stride = source.width * 3;
  const [firstRow, lastRow] = [rows.first[0]!, rows.first[side - 1]! + 2 * rows.pairs];
  const [left, right] = [columns.first[0]!, columns.first[side - 1]!];
  const firstColumn = Math.min(left, right);
  const columnCount = Math.max(left, right) + 2 * columns.pairs - firstColumn;

  let end = 0;
  const take = (bytes: number): number => {
    const at = end;
    end += Math.ceil((bytes + slack) / 16) * 16;
    return at;
  };
  const rowOffsets = take(rows.first.byteLength);
  const rowWeights = take(rows.weights.byteLength);
  const columnOffsets = take(columns.first.byteLength);
  const columnWeights = take(columns.weights.byteLength);
  const row = take(columnCount * 3 * 2);
  const result = take(side * side * 3);
  const pixels = take((lastRow - firstRow) * stride);
  const bytes = reserve(end);

  bytes.set(source.pixels.subarray(firstRow * stride, lastRow * stride), pixels);
  const put = (values: Int32Array | Int16Array, at: number): void =>
    bytes.set(new Uint8Array(values.buffer), at);
  put(
    rows.first.map((index) => (index - firstRow) * stride),
    rowOffsets,
  );
  put(rows.weights, rowWeights);
  put(
    columns.first.map((index) => (index - firstColumn) * 3 * 2),
    columnOffsets,
  );
  put(columns.weights, columnWeights);
  kernel.resample(
    pixels + firstColumn * 3,
    stride,
    rowOffsets,
    rowWeights,
    rows.pairs,
    columnOffsets,
    columnWeights,
    columns.pairs,
    side,
    row,
    row + columnCount * 3 * 2,
    result,
  );
  out.set(bytes.subarray(result, result + side * side * 3), offset);
}

// --- helpers ---

const pageBytes = 2 ** 16;

/** The kernel's memory, of at least so many bytes. Each call writes all that it reads, so nothing is kept between two. */
function reserve(bytes: number): Uint8Array {
  const missing = bytes - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / pageBytes));
  return new Uint8Array(kernel.memory.buffer);
}

/** Taps of `side` outputs over `[start, start + length)` of an axis of `size` source pixels; what lies outside has no weight. */
function axisTaps(start: number, length: number, side: number, size: number, mirrored: boolean): AxisTaps {
  const ratio = length / side;
  const radius = Math.max(1, ratio);
  const taps = Math.min(size, ratio === 1 && Number.isInteger(start) ? 1 : Math.ceil(2 * radius));
  const pairs = Math.ceil(taps / 2);
  const filledUp = Math.ceil(side / 4) * 4;
  const first = new Int32Array(filledUp);
  const weights = new Int16Array(filledUp * 2 * pairs);
  const exact = new Float64Array(taps);
  for (let i = 0; i < side; i++) {
    const centre = start + (i + 0.5) * ratio - 0.5;
    const begin = Math.min(Math.max(Math.floor(centre - radius) + 1, 0), size - taps);
    const output = mirrored ? side - 1 - i : i;
    first[output] = begin;
    let sum = 0;
    for (let t = 0; t < taps; t++) {
      exact[t] = Math.max(0, 1 - Math.abs(begin + t - centre) / radius);
      sum += exact[t]!;
    }
    let rest = 1 << weightBits;
    let heaviest = 0;
    for (let t = 0; t < taps; t++) {
      const weight = sum > 0 ? Math.round((exact[t]! / sum) * (1 << weightBits)) : 0;
      weights[output * 2 * pairs + t] = weight;
      rest -= weight;
      if (exact[t]! > exact[heaviest]!) heaviest = t;
    }
    weights[output * 2 * pairs + heaviest]! += rest;
  }
  first.fill(first[0]!, side);
  return { pairs, first, weights };
}
