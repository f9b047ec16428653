import { type WeightLayer, weightShapeOf } from '../../../network/layers.ts';
import type { Preprocessing } from '../../../network/preprocessing.ts';
import type { WeightSources } from '../../../network/weights.ts';
import { bytesOf } from '../library/constants.ts';
import { reorder } from '../primitives/elementwise.ts';
import { runSteps, type Step } from '../primitives/primitives.ts';
import { type Memory, type MemoryDesc, type Scope, sameDesc } from '../primitives/scope.ts';
import { readArena, type Slot, slotsOf, writeArena, zerosOf } from './arena.ts';
import type { LayerPlan, PlannedLayer } from './plan.ts';
import type { UpdateArenas } from './update.ts';

/** Memories of one layer's weights. */
export interface LayerParameters {
  /** As the forward pass reads them. */
  readonly forward: Memory;
  /** As the backward pass reads them, where it has one. */
  readonly backward?: Memory;
  readonly bias: Memory;
  /** Where the backward pass writes, of trainable layers. */
  readonly gradient?: { readonly weights: Memory; readonly bias: Memory };
}

/**
 * Weights, gradients and velocities of a network in training: float32 in flat arenas, in the layouts of the weight
 * gradients, with copies in the types and layouts of the forward and backward passes where these differ.
 */
export interface Parameters {
  of(layer: WeightLayer): LayerParameters;
  /** Trainable part of the arenas. */
  readonly arenas: UpdateArenas;
  /** Brings the copies up to date after an update. */
  refresh(): void;
  /** From now on backward passes write their gradients there, a block like `arenas.gradient`. */
  writeGradientsTo(block: Memory): void;
  readWeights(): WeightSources;
  /** Of `arenas.velocity` or `arenas.gradient`; zeros for frozen layers. */
  read(block: Memory): WeightSources;
}

export function createParameters(
  scope: Scope,
  planned: readonly PlannedLayer[],
  initial: { readonly weights: WeightSources; readonly velocity?: WeightSources },
  preprocessing: Preprocessing,
): Parameters {
  const { onednn } = scope;
  const plans = new Map<WeightLayer, LayerPlan>();
  for (const entry of planned) if (entry.kind === 'weights') plans.set(entry.layer, entry.plan);
  const layers = [...plans.keys()];

  const bias = (layer: WeightLayer): MemoryDesc => scope.desc([layer.outputs], 'f32', 'rowMajor');
  const { slots, bytes } = slotsOf(layers, preprocessing, (layer) => ({
    weight: masterDesc(scope, layer, plans.get(layer)!),
    bias: bias(layer),
  }));
  // Frozen layers are the first ones, so the trainable part is one block at the end.
  const frozenCount = layers.filter((layer) => !plans.get(layer)!.backwardWeights).length;
  const trainableSlots = slots.slice(2 * frozenCount);
  const frozenBytes = trainableSlots[0]!.offsetBytes;

  const zeroed = (length: number): bigint => {
    const address = scope.allocate(length);
    onednn.fill(address, 0, length); // padding between the slots stays zero through every update
    return address;
  };
  const weightsAddress = zeroed(bytes);
  const flat = scope.desc([(bytes - frozenBytes) / bytesOf.f32], 'f32', 'rowMajor');
  const arenas: UpdateArenas = {
    weights: scope.memory(flat, weightsAddress + BigInt(frozenBytes)),
    gradient: scope.memory(flat, zeroed(flat.bytes)),
    velocity: scope.memory(flat, zeroed(flat.bytes)),
  };
  /** Address that the offset of a trainable slot counts from. */
  const base = (block: Memory): bigint => block.address - BigInt(frozenBytes);
  const memoryAt = ({ desc, offsetBytes }: Slot, address: bigint): Memory =>
    scope.memory(desc, address + BigInt(offsetBytes));

  writeArena(onednn, slots, weightsAddress, initial.weights);
  if (initial.velocity) writeArena(onednn, trainableSlots, base(arenas.velocity), initial.velocity);

  const copies: Step[] = [];
  const frozenCopies: Step[] = [];
  const gradients: { readonly slot: Slot; readonly memory: Memory }[] = [];
  const parameters = new Map<WeightLayer, LayerParameters>();
  layers.forEach((layer, i) => {
    const { forward, backwardWeights, backwardData } = plans.get(layer)!;
    const [weightSlot, biasSlot] = [slots[2 * i]!, slots[2 * i + 1]!];
    const master = memoryAt(weightSlot, weightsAddress);
    const copyAs = (wanted: MemoryDesc, label: string): Memory => {
      if (sameDesc(scope, wanted, master.desc)) return master;
      const copy = scope.memory(wanted);
      (backwardWeights ? copies : frozenCopies).push(reorder(scope, `${label} ${layer.name}`, master, copy));
      return copy;
    };
    const forwardCopy = copyAs(forward.desc('weights'), 'weights for forward');
    const backwardDesc = backwardData?.desc('weights');
    const gradientMemory = (slot: Slot): Memory => {
      const memory = memoryAt(slot, base(arenas.gradient));
      gradients.push({ slot, memory });
      return memory;
    };
    parameters.set(layer, {
      forward: forwardCopy,
      bias: memoryAt(biasSlot, weightsAddress),
      ...(backwardDesc && {
        backward: sameDesc(scope, backwardDesc, forwardCopy.desc)
          ? forwardCopy
          : copyAs(backwardDesc, 'weights for backward'),
      }),
      ...(backwardWeights && {
        gradient: { weights: gradientMemory(weightSlot), bias: gradientMemory(biasSlot) },
      }),
    });
  });
  runSteps(scope, [...frozenCopies, ...copies]);

  return {
    of: (layer) => parameters.get(layer)!,
    arenas,
    refresh: () => runSteps(scope, copies),
    writeGradientsTo(block) {
      for (const { slot, memory } of gradients) {
        onednn.setMemoryData(memory.handle, base(block) + BigInt(slot.offsetBytes));
      }
    },
    readWeights: () => readArena(onednn, slots, weightsAddress),
    read: (block) =>
      new Map([
        ...zerosOf(slots.slice(0, 2 * frozenCount)),
        ...readArena(onednn, trainableSlots, base(block)),
      ]),
  };
}

// --- helpers ---

/** Trainable weights lie as their gradient does; frozen ones as outside. */
function masterDesc(scope: Scope, layer: WeightLayer, { backwardWeights }: LayerPlan): MemoryDesc {
  if (backwardWeights) return backwardWeights.desc('weightsGradient');
  return scope.desc(weightShapeOf(layer), 'f32', 'rowMajor');
}
