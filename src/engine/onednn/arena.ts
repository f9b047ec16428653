import { VerydeepError } from '../../errors.ts';
import { fanInOf, type WeightLayer } from '../../network/layers.ts';
import type { Preprocessing } from '../../network/preprocessing.ts';
import type { Tensor, Weights } from '../../network/weights.ts';
import type { Onednn } from './library.ts';
import { reorder } from './primitives.ts';
import { createScope, floatsOf, type MemoryDesc } from './scope.ts';

/**
 * Place of one tensor in an arena: one flat block of float32 for all weights (or gradients, or velocities) of a network,
 * so that an update is one linear pass over it.
 */
export interface Slot {
  readonly name: string;
  /** Row-major shape outside. */
  readonly shape: readonly number[];
  /** Layout inside. */
  readonly desc: MemoryDesc;
  readonly offsetBytes: number;
  /** The weights count blue first, the network is computed red first: outside, input channels 0 and 2 are exchanged. */
  readonly exchangeRedAndBlue: boolean;
}

const alignmentBytes = 64;

/** Slots for the tensors of these layers in order, weight then bias; `descsOf` says how each layer wants them. */
export function slotsOf(
  layers: readonly WeightLayer[],
  { channelOrder }: Pick<Preprocessing, 'channelOrder'>,
  descsOf: (layer: WeightLayer) => { weight: MemoryDesc; bias: MemoryDesc },
): { slots: Slot[]; bytes: number } {
  const slots: Slot[] = [];
  let bytes = 0;
  const add = (
    name: string,
    shape: readonly number[],
    desc: MemoryDesc,
    exchangeRedAndBlue: boolean,
  ): void => {
    slots.push({ name, shape, desc, offsetBytes: bytes, exchangeRedAndBlue });
    bytes += Math.ceil(desc.bytes / alignmentBytes) * alignmentBytes;
  };
  layers.forEach((layer, i) => {
    const { weight, bias } = descsOf(layer);
    const { name, inputs, outputs, kernel } = layer;
    const shape =
      layer.kind === 'convolution' ? [outputs, inputs, kernel, kernel] : [outputs, fanInOf(layer)];
    add(`${name}.weight`, shape, weight, i === 0 && channelOrder === 'bgr');
    add(`${name}.bias`, [outputs], bias, false);
  });
  return { slots, bytes };
}

/** Writes tensors into the arena at `address`. Throws INVALID_WEIGHTS where one is missing or has another shape. */
export function writeArena(onednn: Onednn, slots: readonly Slot[], address: bigint, weights: Weights): void {
  for (const slot of slots) {
    const tensor = weights.get(slot.name);
    const received = tensor && `[${tensor.shape.join(', ')}], ${tensor.data.length} numbers`;
    const expected = `[${slot.shape.join(', ')}], ${countOf(slot)} numbers`;
    if (received !== expected) {
      throw new VerydeepError(
        'INVALID_WEIGHTS',
        `${slot.name}: expected ${expected}, received ${received ?? 'no such tensor'}`,
      );
    }
    withPlainCopy(onednn, slot, address, (plain, step) => {
      plain.set(slot.exchangeRedAndBlue ? exchanged(tensor!) : tensor!.data);
      step('in');
    });
  }
}

/** Copies of the tensors in the arena at `address`. */
export function readArena(onednn: Onednn, slots: readonly Slot[], address: bigint): Map<string, Tensor> {
  return new Map(
    slots.map((slot) => {
      const tensor = withPlainCopy(onednn, slot, address, (plain, step) => {
        step('out');
        return { shape: slot.shape, data: plain.slice() };
      });
      return [slot.name, slot.exchangeRedAndBlue ? { ...tensor, data: exchanged(tensor) } : tensor];
    }),
  );
}

/** Zeros of the same names and shapes. */
export function zerosOf(slots: readonly Slot[]): Map<string, Tensor> {
  return new Map(
    slots.map((slot) => [slot.name, { shape: slot.shape, data: new Float32Array(countOf(slot)) }]),
  );
}

// --- helpers ---

function countOf({ shape }: Slot): number {
  return shape.reduce((a, b) => a * b, 1);
}

function withPlainCopy<T>(
  onednn: Onednn,
  slot: Slot,
  address: bigint,
  use: (plain: Float32Array, copy: (direction: 'in' | 'out') => void) => T,
): T {
  const scope = createScope(onednn);
  try {
    const inside = scope.memory(slot.desc, address + BigInt(slot.offsetBytes));
    const outside = scope.memory(scope.desc(slot.shape, 'f32', 'rowMajor'));
    return use(floatsOf(scope, outside), (direction) => {
      const [from, to] = direction === 'in' ? [outside, inside] : [inside, outside];
      reorder(scope, slot.name, from, to).run();
      onednn.wait();
    });
  } finally {
    scope.dispose();
  }
}

/** Weights `[out, 3, kernel, kernel]` with the first and the last input channel exchanged. */
function exchanged({ shape, data }: Tensor): Float32Array {
  const plane = shape[2]! * shape[3]!;
  const result = data.slice();
  for (let start = 0; start < data.length; start += 3 * plane) {
    result.set(data.subarray(start + 2 * plane, start + 3 * plane), start);
    result.set(data.subarray(start, start + plane), start + 2 * plane);
  }
  return result;
}
