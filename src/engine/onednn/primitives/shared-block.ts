import { misuse } from '../library/bindings.ts';
import type { Onednn } from '../library/library.ts';
import { createScope, expectAlive, type Memory, type MemoryDesc, type Numbers, type Scope } from './scope.ts';

/** One block of memory for whoever runs at the moment: as large as the largest of them needs. */
export interface SharedBlock {
  readonly bytes: number;
  /** Address of so many bytes. What the block held before is lost, and other addresses are no longer valid, if it has to grow. */
  reserve(bytes: number): bigint;
  /** Frees a block of more than so many bytes; it is allocated anew when it is needed. */
  shrinkTo(bytes: number): void;
}

export function createSharedBlock(onednn: Onednn): SharedBlock {
  let held: { readonly scope: Scope; readonly address: bigint; readonly bytes: number } | undefined;
  const free = (): void => {
    held?.scope.dispose();
    held = undefined;
  };
  return {
    get bytes() {
      return held?.bytes ?? 0;
    },
    reserve(bytes) {
      if (held && held.bytes >= bytes) return held.address;
      free(); // first: both would be in memory together
      const scope = createScope(onednn);
      held = { scope, address: scope.allocate(bytes), bytes };
      return held.address;
    },
    shrinkTo(bytes) {
      if (held && held.bytes > bytes) free();
    },
  };
}

/**
 * A scope whose memories are places in a {@link SharedBlock}: their addresses count from its start, and no step may run
 * before `bind`. Scratchpads of primitives are in the block too, all in the same place.
 */
export interface BlockScope extends Scope {
  /** Bytes of the block that are needed. */
  readonly blockBytes: number;
  /** Moves all memories to the block at `address`. Returns whether they were elsewhere before. */
  bind(address: bigint): boolean;
  /** Numbers of a memory as JavaScript sees them, until the next `bind`. */
  view<T extends Numbers>(memory: Memory, create: (buffer: ArrayBuffer) => T): T;
}

/** Pages of a block are not divided between memories. */
const alignmentBytes = 4096;

export function createBlockScope(onednn: Onednn): BlockScope {
  const scope = createScope(onednn);
  const places: { readonly memory: Memory; readonly isScratchpad: boolean }[] = [];
  let end = 0;
  let scratchpadBytes = 0;
  let base: bigint | undefined;

  const place = (desc: MemoryDesc, address: bigint, isScratchpad: boolean): Memory => {
    const memory = scope.memory(desc, address);
    places.push({ memory, isScratchpad });
    return memory;
  };
  const allocate = (bytes: number): bigint => {
    const start = end;
    end += Math.ceil(bytes / alignmentBytes) * alignmentBytes;
    return BigInt(start);
  };

  return {
    ...scope,
    get blockBytes() {
      return end + scratchpadBytes;
    },
    allocate,
    memory: (desc, address = allocate(desc.bytes)) => place(desc, address, false),
    scratchpad(desc) {
      scratchpadBytes = Math.max(scratchpadBytes, desc.bytes);
      return place(desc, 0n, true);
    },
    bind(address) {
      expectAlive(scope);
      if (address === base) return false;
      base = address;
      for (const { memory, isScratchpad } of places) {
        onednn.setMemoryData(memory.handle, address + (isScratchpad ? BigInt(end) : memory.address));
      }
      return true;
    },
    view(memory, create) {
      expectAlive(memory);
      if (base === undefined) throw misuse('expected a block to be bound before its memories are read');
      return create(onednn.view(base + memory.address, memory.desc.bytes));
    },
  };
}
