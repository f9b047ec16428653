import {
  type Choice,
  chooseEngine,
  type EngineWish,
  throwContradictions,
  type Use,
} from './choose-engine.ts';
import type { Engine, EngineOptions } from './engine.ts';
import type { EngineRow, EngineTable } from './engine-row.ts';
import { type Taken, takeEngine } from './take-engine.ts';
import type { LocalTrainingStep, TrainingStepOptions } from './training-step.ts';

/** What can be done with a table of engines. */
export interface Engines<Name extends string> {
  /** What a user may ask for: `auto`, then the names in the order of the table. */
  readonly choices: Readonly<Record<Use, readonly (Name | 'auto')[]>>;
  readonly names: readonly Name[];
  /** The engines that `auto` may take, the preferred one first. */
  readonly automatic: readonly Name[];
  /** The engines that can do what is wished, or what contradicts itself in it; nothing is loaded. */
  choose(wish: EngineWish<Name>, use: Use): Choice<Name>;
  /** Starts the first engine that can do what is wished and is there. Throws INVALID_SETTINGS, DEVICE_UNAVAILABLE. */
  take<T>(wish: EngineWish<Name>, use: Use, start: (engine: Name) => Promise<T>): Promise<Taken<Name, T>>;
  /**
   * Creates an engine in this process. Its runtime is loaded only now. Throws INVALID_SETTINGS if the engine does not
   * know the device or the precision, DEVICE_UNAVAILABLE if the device or the runtime is not there.
   */
  createEngine(options: EngineOptions & { readonly engine: Name }): Promise<Engine>;
  /** Creates a training step in this process. Throws as `createEngine` does, and INVALID_WEIGHTS. */
  createTrainingStep(engine: Name, options: TrainingStepOptions): Promise<LocalTrainingStep>;
}

export function createEngines<Name extends string>(table: EngineTable<Name>): Engines<Name> {
  const names = Object.keys(table) as Name[];
  const check = (wish: EngineWish<Name>, use: Use): void =>
    throwContradictions(chooseEngine(table, wish, use).contradictions);
  const row = (engine: Name): EngineRow => table[engine];
  return {
    names,
    automatic: names.filter((name) => row(name).automatic),
    choices: {
      serving: ['auto', ...names],
      training: ['auto', ...names.filter((name) => row(name).training !== undefined)],
    },
    choose: (wish, use) => chooseEngine(table, wish, use),
    take: (wish, use, start) => takeEngine(table, wish, use, start),
    async createEngine({ engine, ...options }) {
      check({ engine, devices: [options.device], precision: options.precision }, 'serving');
      const create = await row(engine).serving.load();
      return create(options);
    },
    async createTrainingStep(engine, options) {
      check({ engine, devices: [options.device], precision: options.precision }, 'training');
      const create = await row(engine).training!.load();
      return create(options);
    },
  };
}
