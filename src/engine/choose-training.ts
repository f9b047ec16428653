import type { Device } from './devices.ts';
import type { Engine } from './engine.ts';
import { type EngineChoice, type EngineName, engines } from './engines.ts';
import type { Precision } from './precision.ts';
import type { CreatePlacedStep, CreateTrainingStep } from './training-step.ts';

/** What a training runs on: its step, in this process or divided over workers, and the engine for its validation. */
export interface TrainingEngine {
  readonly createStep: CreatePlacedStep;
  readonly engine: Engine;
}

export interface TrainingPlacement {
  readonly device: Device;
  readonly threads: number;
  readonly precision: Precision;
  /** Path of the native library of an engine that takes one (oneDNN); searched for when omitted. */
  readonly libraryPath?: string | undefined;
  /** Processes that divide each batch; 1 trains in this process. */
  readonly workers: number;
}

/**
 * The engine of a training; `onChoice` is told which one `auto` took and why. Throws INVALID_SETTINGS if the engine does
 * not train so, DEVICE_UNAVAILABLE if it is not there.
 */
export async function chooseTrainingEngine(
  name: EngineChoice,
  { device, threads, precision, libraryPath, workers }: TrainingPlacement,
  onChoice: (reason: string) => void,
): Promise<TrainingEngine> {
  const wish = { engine: name, devices: [device], precision, libraryPath };
  const taken = await engines.take(wish, 'training', (engine) =>
    engines.createEngine({ engine, device, threads, precision, libraryPath, sharedCores: true }),
  );
  if (name === 'auto') onChoice(taken.reason);
  const createStep = stepCreator(taken.engine, workers);
  return { createStep: (options) => createStep({ ...options, device, libraryPath }), engine: taken.value };
}

// --- helpers ---

function stepCreator(engine: EngineName, workers: number): CreateTrainingStep {
  if (workers === 1) return (options) => engines.createTrainingStep(engine, options);
  return async (options) => {
    const { createParallelTrainingStep } = await import('./parallel/training-step.ts');
    return createParallelTrainingStep(options, { engine, workers });
  };
}
