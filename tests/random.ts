/**
 * Random numbers that a seed repeats.
 *
 * @module
 */

/** A small, seeded generator (mulberry32): each call gives a whole number from 0 up to, not including, `below`. */
export function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 4294967296 * below);
  };
}

/** Choices drawn from one generator. */
export class Random {
  readonly below: (below: number) => number;

  constructor(seed: number) {
    this.below = generator(seed);
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** True in so many of 100 cases. */
  percent(chance: number): boolean {
    return this.below(100) < chance;
  }
}
