import { type WeightLayer, weightShapeOf } from '../../../network/layers.ts';
import type { Preprocessing } from '../../../network/preprocessing.ts';
import {
  computedTensor,
  partsOf,
  type TensorSource,
  type WeightSources,
  writeTensor,
} from '../../../network/weights.ts';
import { exchangeRedAndBlue } from '../channel-order.ts';
import type { Onednn } from '../library/library.ts';
import { reorder } from '../primitives/elementwise.ts';
import { runSteps } from '../primitives/primitives.ts';
import { createScope, type MemoryDesc } from '../primitives/scope.ts';

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
  /** Outside it counts blue first (channel-order.ts). */
  readonly blueFirst: boolean;
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
  const add = (name: string, shape: readonly number[], desc: MemoryDesc, blueFirst: boolean): void => {
    slots.push({ name, shape, desc, offsetBytes: bytes, blueFirst });
    bytes += Math.ceil(desc.bytes / alignmentBytes) * alignmentBytes;
  };
  layers.forEach((layer, i) => {
    const { weight, bias } = descsOf(layer);
    const { name, outputs } = layer;
    add(`${name}.weight`, weightShapeOf(layer), weight, i === 0 && channelOrder === 'bgr');
    add(`${name}.bias`, [outputs], bias, false);
  });
  return { slots, bytes };
}

/**
 * Writes tensors, whose names and shapes have been checked, into the arena at `address`. One at a time is laid out
 * row-major beside it, in native memory: that is freed at once, which JavaScript's is not.
 */
export function writeArena(
  onednn: Onednn,
  slots: readonly Slot[],
  address: bigint,
  weights: WeightSources,
): void {
  for (const slot of slots) {
    const scope = createScope(onednn);
    try {
      const inside = scope.memory(slot.desc, address + BigInt(slot.offsetBytes));
      const outside = scope.memory(scope.desc(slot.shape, 'f32', 'rowMajor'));
      const data = new Float32Array(onednn.view(outside.address, outside.desc.bytes));
      writeTensor(weights.get(slot.name)!, data);
      if (slot.blueFirst) data.set(exchangeRedAndBlue({ shape: slot.shape, data }).data);
      runSteps(scope, [reorder(scope, slot.name, outside, inside)]);
    } finally {
      scope.dispose();
    }
  }
}

/** The tensors in the arena at `address`, each read when it is asked for and laid out row-major beside the arena for as long. */
export function readArena(
  onednn: Onednn,
  slots: readonly Slot[],
  address: bigint,
): ReadonlyMap<string, TensorSource> {
  return new Map(
    slots.map((slot) => [
      slot.name,
      { shape: slot.shape, type: 'F32', parts: () => partsIn(onednn, slot, address) },
    ]),
  );
}

/** Zeros of the same names and shapes. */
export function zerosOf(slots: readonly Slot[]): ReadonlyMap<string, TensorSource> {
  return new Map(slots.map(({ name, shape }) => [name, computedTensor(shape, () => () => 0)]));
}

// --- helpers ---

/** A fully connected layer's matrix may be as large as all other tensors together: some rows of it at a time. */
function* partsIn(onednn: Onednn, slot: Slot, address: bigint): Generator<Uint8Array> {
  const [rows, columns, ...others] = slot.shape as [number, number?, ...number[]];
  if (columns === undefined || others.length > 0) {
    yield* laidOut(onednn, slot, address);
    return;
  }
  for (let first = 0; first < rows; first += rowsAtATime) {
    yield* laidOut(onednn, slot, address, { first, shape: [Math.min(rowsAtATime, rows - first), columns] });
  }
}

/** A multiple of all blocks of outputs (16, 24, 32, 48, 64), which a layout cannot be cut within. */
const rowsAtATime = 192;

/** The numbers of a slot, or of some rows of its matrix, laid out row-major. */
function* laidOut(
  onednn: Onednn,
  { name, shape: whole, desc, offsetBytes, blueFirst }: Slot,
  address: bigint,
  rows?: { readonly first: number; readonly shape: readonly [count: number, columns: number] },
): Generator<Uint8Array> {
  const shape = rows?.shape ?? whole;
  const scope = createScope(onednn);
  try {
    const insideDesc = rows ? scope.rows(desc, rows.first, rows.shape) : desc;
    const inside = scope.memory(insideDesc, address + BigInt(offsetBytes));
    const outside = scope.memory(scope.desc(shape, 'f32', 'rowMajor'));
    runSteps(scope, [reorder(scope, name, inside, outside)]);
    const data = new Float32Array(onednn.view(outside.address, outside.desc.bytes));
    yield* partsOf(blueFirst ? exchangeRedAndBlue({ shape, data }) : { shape, data });
  } finally {
    scope.dispose();
  }
}
