import type { Memory, MemoryDesc, Scope } from './scope.ts';

/** Memory for intermediate values, used again once given back: steps run in the order in which they were made. */
export interface Workspace {
  take(desc: MemoryDesc): Memory;
  /** The same memory under another descriptor, which takes its place. */
  reshape(memory: Memory, desc: MemoryDesc): Memory;
  /** Does nothing for a memory that was not taken here. */
  give(memory: Memory): void;
}

interface Block {
  readonly address: bigint;
  readonly bytes: number;
}

export function createWorkspace(scope: Scope): Workspace {
  const free: Block[] = [];
  const taken = new Map<Memory, Block>();
  return {
    take(desc) {
      // The smallest block that is large enough.
      free.sort((a, b) => a.bytes - b.bytes);
      const index = free.findIndex(({ bytes }) => bytes >= desc.bytes);
      const block =
        index < 0 ? { address: scope.allocate(desc.bytes), bytes: desc.bytes } : free.splice(index, 1)[0]!;
      const memory = scope.memory(desc, block.address);
      taken.set(memory, block);
      return memory;
    },
    reshape(memory, desc) {
      const reshaped = scope.memory(desc, memory.address);
      const block = taken.get(memory);
      if (block) {
        taken.delete(memory);
        taken.set(reshaped, block);
      }
      return reshaped;
    },
    give(memory) {
      const block = taken.get(memory);
      if (!block) return;
      taken.delete(memory);
      free.push(block);
    },
  };
}
