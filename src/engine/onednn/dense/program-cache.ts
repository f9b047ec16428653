import type { DenseProgram } from './program.ts';

/** Programs by key, the least recently used dropped where all together would hold more than `maxBytes`. */
export interface ProgramCache {
  get(key: string, create: () => DenseProgram): DenseProgram;
  /** Drops those whose key starts so. */
  drop(prefix: string): void;
}

export function createProgramCache({
  maxBytes,
  maxPrograms,
}: {
  readonly maxBytes: number;
  readonly maxPrograms: number;
}): ProgramCache {
  // A Map keeps the order of insertion: the first is the one used longest ago.
  const programs = new Map<string, DenseProgram>();
  const drop = (key: string): void => {
    programs.get(key)!.dispose();
    programs.delete(key);
  };
  const bytes = (): number => [...programs.values()].reduce((sum, program) => sum + program.bytes, 0);
  return {
    get(key, create) {
      const program = programs.get(key) ?? create();
      programs.delete(key);
      programs.set(key, program);
      for (const other of [...programs.keys()]) {
        if (other === key || (bytes() <= maxBytes && programs.size <= maxPrograms)) break;
        drop(other);
      }
      return program;
    },
    drop(prefix) {
      for (const key of [...programs.keys()]) if (key.startsWith(prefix)) drop(key);
    },
  };
}
