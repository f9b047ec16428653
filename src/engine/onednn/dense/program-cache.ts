import type { SharedBlock } from '../primitives/shared-block.ts';

interface Program {
  readonly blockBytes: number;
  dispose(): void;
}

/** Programs by key that share a block; of more than `maxPrograms` the least recently used is dropped. */
export interface ProgramCache<P extends Program> {
  get(key: string, create: () => P): P;
  /** Drops those whose key starts so. */
  drop(prefix: string): void;
}

export function createProgramCache<P extends Program>(
  block: SharedBlock,
  maxPrograms: number,
): ProgramCache<P> {
  // A Map keeps the order of insertion: the first is the one used longest ago.
  const programs = new Map<string, P>();
  const drop = (keys: readonly string[]): void => {
    for (const key of keys) {
      programs.get(key)!.dispose();
      programs.delete(key);
    }
    if (keys.length > 0) {
      block.shrinkTo(Math.max(0, ...[...programs.values()].map(({ blockBytes }) => blockBytes)));
    }
  };
  return {
    get(key, create) {
      const program = programs.get(key) ?? create();
      programs.delete(key);
      programs.set(key, program);
      drop([...programs.keys()].slice(0, Math.max(0, programs.size - maxPrograms)));
      return program;
    },
    drop(prefix) {
      drop([...programs.keys()].filter((key) => key.startsWith(prefix)));
    },
  };
}
