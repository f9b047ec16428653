import { VerydeepError } from '../errors.ts';
import type { StoredNetwork } from './network.ts';

/**
 * The labels that all these networks answer. A box for all classes (SCR) knows nothing of labels. Throws INVALID_WEIGHTS
 * if two differ, or if no network knows any.
 */
export function commonLabels(
  networks: readonly {
    /** For messages. */
    readonly name: string;
    readonly head: StoredNetwork['head'];
    readonly labels: readonly string[];
  }[],
): string[] {
  const [first, ...others] = networks.filter(({ head }) => head !== 'scr');
  if (first === undefined)
    throw invalidWeights('expected at least one classification network; received none');
  for (const { name, labels } of others) {
    if (labels.join('\n') === first.labels.join('\n')) continue;
    throw invalidWeights(
      `expected networks with the same labels in the same order; ${first.name} has ${first.labels.length}, ${name} has ${labels.length}, and they differ`,
    );
  }
  return [...first.labels];
}

// --- helpers ---

function invalidWeights(message: string): VerydeepError {
  return new VerydeepError('INVALID_WEIGHTS', message);
}
