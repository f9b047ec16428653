import type { Engine, EngineOptions } from '../../../src/engine/engine.ts';
import { createReferenceEngine } from '../../../src/engine/reference/engine.ts';

/** An engine that somebody adds: it lets the reference engine compute. */
export async function createToyEngine({ device, threads }: EngineOptions): Promise<Engine> {
  return { ...createReferenceEngine(), capabilities: { engine: 'toy', device, threads } };
}
