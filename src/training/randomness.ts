import { createRandom, type Random } from '../network/random.ts';

/** What random numbers are for; each purpose has streams of its own. */
const purposes = { initialise: 1, order: 2, sample: 3, dropout: 4 } as const;

/**
 * The generator of one decision, from the seed and the counters that name it (epoch, position in the epoch, ...).
 * Nothing else goes in: not the thread that asks, nor what was drawn before. So any worker can make any batch, a
 * resumed run draws what the uninterrupted one would have drawn, and equal seeds give equal bits.
 */
export function randomStream(seed: number, purpose: keyof typeof purposes, ...counters: number[]): Random {
  const state = [0, 1, 2, 3].map((word) => {
    let hash = word + 1;
    for (const value of [seed, purposes[purpose], ...counters]) hash = mix(hash ^ mix(value + 0x9e3779b9));
    return hash;
  });
  return createRandom(state);
}

/** The order in which an epoch visits `count` samples: a permutation, by Fisher and Yates. */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array {
  const random = randomStream(seed, 'order', epoch);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

// --- helpers ---

/** murmur3's finaliser: a bijection of 32-bit words in which every input bit changes every output bit. */
function mix(word: number): number {
  let x = word | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
