import { type FullyConnectedLayer, fanInOf } from '../../../network/layers.ts';
import { toFloat32 } from '../../../network/numbers.ts';
import { partsOf, type Tensor, type TensorSource, typeOf, writeTensor } from '../../../network/weights.ts';
import { exchangeRedAndBlue } from '../channel-order.ts';
import { bytesOf } from '../library/constants.ts';
import { reorder } from '../primitives/elementwise.ts';
import { runSteps } from '../primitives/primitives.ts';
import { createScope, type Memory, type Scope } from '../primitives/scope.ts';

/** Outputs of a fully connected layer that are laid out at a time: a multiple of all blocks of outputs (16, 24, 32, 48, 64). */
const outputsAtATime = 192;

/** Writes a tensor whose dimensions are those of its memory, row-major outside. */
export function writeInLayout(
  { onednn }: Scope,
  dims: readonly number[],
  tensor: Tensor | TensorSource,
  target: Memory,
  { blueFirst = false } = {},
): void {
  withScope(onednn, (scope) => {
    const stored = scope.memory(scope.desc(dims, 'f32', 'rowMajor'));
    const data = new Float32Array(onednn.view(stored.address, stored.desc.bytes));
    writeTensor(tensor, data);
    if (blueFirst) data.set(exchangeRedAndBlue({ shape: dims, data }).data);
    runSteps(scope, [reorder(scope, 'weights', stored, target)]);
  });
}

/**
 * Writes the weights `[outputs, inputs x kernel x kernel]` of a fully connected layer as the matrix that reads windows
 * of interleaved maps, `[outputs, kernel x kernel x inputs]`. These are the largest tensors, so they go through memory of
 * a few outputs.
 */
export function writeMatrix(
  { onednn }: Scope,
  layer: FullyConnectedLayer,
  tensor: Tensor | TensorSource,
  target: Memory,
): void {
  const { name, inputs, outputs, kernel } = layer;
  const columns = fanInOf(layer);
  withScope(onednn, (buffers) => {
    const bytes = Math.min(outputs, outputsAtATime) * columns * bytesOf.f32;
    const storedAddress = buffers.allocate(bytes);
    const interleavedAddress = kernel === 1 ? storedAddress : buffers.allocate(bytes);
    let first = 0;
    for (const length of fillings(tensor, new Float32Array(onednn.view(storedAddress, bytes)))) {
      const count = length / columns;
      withScope(onednn, (scope) => {
        const dims = [count, inputs, kernel, kernel];
        const stored = scope.memory(scope.desc(dims, 'f32', 'rowMajor'), storedAddress);
        const interleaved = scope.memory(scope.desc(dims, 'f32', 'channelsLast'), interleavedAddress);
        const rows = scope.memory(scope.desc([count, columns], 'f32', 'rowMajor'), interleavedAddress);
        const part = scope.memory(scope.rows(target.desc, first, [count, columns]), target.address);
        runSteps(scope, [
          ...(kernel === 1 ? [] : [reorder(scope, name, stored, interleaved)]),
          reorder(scope, name, rows, part),
        ]);
      });
      first += count;
    }
  });
}

export function withScope(onednn: Scope['onednn'], use: (scope: Scope) => void): void {
  const scope = createScope(onednn);
  try {
    use(scope);
  } finally {
    scope.dispose();
  }
}

// --- helpers ---

/** Fills `buffer` with the numbers of a tensor again and again; yields how many it holds, all but the last time its length. */
function* fillings(tensor: Tensor | TensorSource, buffer: Float32Array): Generator<number> {
  let filled = 0;
  for (const part of partsOf(tensor)) {
    const numbers = toFloat32(part, typeOf(tensor));
    for (let taken = 0; taken < numbers.length; ) {
      const some = numbers.subarray(taken, taken + buffer.length - filled);
      buffer.set(some, filled);
      taken += some.length;
      filled += some.length;
      if (filled < buffer.length) continue;
      yield filled;
      filled = 0;
    }
  }
  if (filled > 0) yield filled;
}
