/** A seeded generator of random numbers whose whole state can be saved: xoshiro128**, Blackman and Vigna 2018. */
export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  next(): number;
  /** Normal distribution N(0, 1). */
  normal(): number;
  /** As `count` calls of `normal` leave it. */
  skipNormal(count: number): void;
  /** Integer in [0, below). */
  integer(below: number): number;
  /** Four 32-bit words; `createRandom` takes them back. */
  state(): [number, number, number, number];
}

/** A generator from a seed (any integer), or from a saved state. */
export function createRandom(seed: number | readonly number[]): Random {
  const s = new Uint32Array(4);
  if (typeof seed === 'number') {
    // SplitMix32 spreads the seed over the four words.
    let x = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      x = (x + 0x9e3779b9) >>> 0;
      let z = x;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      s[i] = z ^ (z >>> 16);
    }
  } else {
    s.set(seed);
  }
  const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotate(s[3]!, 11);
    return result / 2 ** 32;
  };
  return {
    next,
    // Box and Muller; the second number is thrown away so that the state stays four words.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    skipNormal(count) {
      for (let i = 0; i < 2 * count; i++) next();
    },
    integer: (below) => Math.floor(next() * below),
    state: () => [s[0]!, s[1]!, s[2]!, s[3]!],
  };
}
