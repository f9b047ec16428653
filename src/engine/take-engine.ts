import { isVerydeepError } from '../errors.ts';
import { chooseEngine, type EngineWish, throwContradictions, type Use } from './choose-engine.ts';
import type { EngineTable } from './engine-row.ts';

export interface Taken<Name, T> {
  readonly engine: Name;
  readonly value: T;
  /** Which engine was taken and why, as a line of a log. */
  readonly reason: string;
}

/**
 * Starts the first candidate that is there. Throws INVALID_SETTINGS if the wish contradicts itself, and what `start`
 * throws; its DEVICE_UNAVAILABLE only if no candidate is there.
 */
export async function takeEngine<Name extends string, T>(
  table: EngineTable<Name>,
  wish: EngineWish<Name>,
  use: Use,
  start: (engine: Name) => Promise<T>,
): Promise<Taken<Name, T>> {
  const { candidates, contradictions } = chooseEngine(table, wish, use);
  throwContradictions(contradictions);
  const missing: string[] = [];
  for (const engine of candidates) {
    try {
      const value = await start(engine);
      return { engine, value, reason: reasonOf(wish, candidates, engine, missing) };
    } catch (error) {
      if (!isVerydeepError(error, 'DEVICE_UNAVAILABLE') || engine === candidates.at(-1)) throw error;
      const { setup } = table[engine];
      missing.push(`${error.message}${setup ? `; "${setup.command}" would give ${setup.gives}` : ''}`);
    }
  }
  throw new TypeError('expected a candidate or a contradiction');
}

// --- helpers ---

function reasonOf<Name extends string>(
  { engine: asked, devices, precision }: EngineWish<Name>,
  candidates: readonly Name[],
  taken: Name,
  missing: readonly string[],
): string {
  const work = `${devices.join(',')} in ${precision}`;
  if (asked !== 'auto') return `engine ${taken} for ${work}, as asked`;
  if (missing.length > 0) return `engine auto took ${taken} for ${work}: ${missing.join('; ')}`;
  const why = candidates.length > 1 ? `the first of ${candidates.join(', ')}` : 'the only one';
  return `engine auto took ${taken}, ${why} for ${work}`;
}
