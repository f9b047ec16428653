import type { Batch } from '../engine.ts';

/** How long a batch may take a host before the host counts as hung, by what like batches took. */
export interface Patience {
  /** In milliseconds. */
  timeoutFor(batch: Batch): number;
  /** A batch was answered. */
  took(batch: Batch, ms: number): void;
}

export interface PatienceOptions {
  /** For batches of networks that were never answered, in milliseconds. */
  readonly untriedMs: number;
  /** No less than this in milliseconds: a new shape, or a busy machine, is no hang. */
  readonly floorMs: number;
}

/** A batch may take so many times what its pixels are expected to. */
const factor = 8;

/** Weight of the latest batch in the mean. */
const weight = 0.2;

export function createPatience({ untriedMs, floorMs }: PatienceOptions): Patience {
  /** Milliseconds a pixel, by networks: they differ in cost a thousandfold, pixels of one network do not. */
  const costs = new Map<string, number>();
  return {
    timeoutFor(batch) {
      const cost = costs.get(keyOf(batch));
      return cost === undefined ? untriedMs : Math.max(floorMs, factor * cost * pixelsOf(batch));
    },
    took(batch, ms) {
      const cost = ms / pixelsOf(batch);
      const mean = costs.get(keyOf(batch)) ?? cost;
      costs.set(keyOf(batch), mean + weight * (cost - mean));
    },
  };
}

// --- helpers ---

function keyOf({ networks }: Batch): string {
  return networks.join('+');
}

function pixelsOf({ count, height, width, flip }: Batch): number {
  return count * height * width * (flip ? 2 : 1);
}
