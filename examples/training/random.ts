// Numbers that are the same each time: a generator by Sebastiano Vigna and Guy Steele (splitmix), of 32 bits.

/** A generator of numbers from 0 to 1, which are the same for the same seeds. */
export function randomFrom(...seeds: number[]): () => number {
  let state = seeds.reduce((state, seed) => mix(state + seed + 0x9e3779b9), 0);
  return () => mix(state = state + 0x9e3779b9 | 0) / 2 ** 32;
}

/** A number from 0 to 2^32 in which each bit depends on each bit of `x`. */
function mix(x: number): number {
  x = Math.imul(x ^ x >>> 16, 0x21f0aaad);
  x = Math.imul(x ^ x >>> 15, 0x735a2d97);
  return (x ^ x >>> 15) >>> 0;
}

/** A number of the normal distribution (Box and Muller). */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
