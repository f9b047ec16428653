import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TrainingEvent } from './events.ts';

export type EpochEvent = Extract<TrainingEvent, { type: 'epoch' }>;

/**
 * The epochs of a run's `log.jsonl` in their order; one that was done again after a stop as it was in the end. None where
 * there is no log. A line that a stop or a full disk cut off is passed over.
 */
export async function readEpochs(runFolder: string): Promise<EpochEvent[]> {
  const path = join(runFolder, 'log.jsonl');
  if (!existsSync(path)) return [];
  const epochs = new Map<number, EpochEvent>();
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (!line.includes('"type":"epoch"')) continue; // most lines are steps
    const event = parse(line);
    if (event !== undefined) epochs.set(event.epoch, event);
  }
  return [...epochs.values()].sort((a, b) => a.epoch - b.epoch);
}

// --- helpers ---

function parse(line: string): EpochEvent | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
