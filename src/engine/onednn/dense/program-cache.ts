import type { DenseProgram } from './program.ts';

/** Programs by key; of more than `maxPrograms` the least recently used is dropped. */
export interface ProgramCache {
  /** Bytes of the shared block that the largest one needs. */
  readonly blockBytes: number;
  get(key: string, create: () => DenseProgram): DenseProgram;
  /** Drops those whose key starts so. */
  drop(prefix: string): void;
}

export function createProgramCache(maxPrograms: number, onDrop: () => void): ProgramCache {
  // A Map keeps the order of insertion: the first is the one used longest ago.
  const programs = new Map<string, DenseProgram>();
  const drop = (keys: readonly string[]): void => {
    for (const key of keys) {
      programs.get(key)!.dispose();
      programs.delete(key);
    }
    if (keys.length > 0) onDrop();
  };
  return {
    get blockBytes() {
      return Math.max(0, ...[...programs.values()].map((program) => program.blockBytes));
    },
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
