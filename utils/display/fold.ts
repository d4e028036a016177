/**
 * Folding: of a part that a graph repeats, such as the layers of a language model, one is drawn and the others are counted.
 *
 * @module
 */

/** A run of equal parts. */
export interface Repeat {
  /** The index of the first element of the first part. */
  readonly start: number;
  /** The length of a part. */
  readonly period: number;
  /** How many there are. */
  readonly count: number;
}

/** The longest period that is looked for: a layer has some tens of nodes. */
const LONGEST = 1000;

/**
 * Finds the parts that follow each other, are equal, and together leave out the most.
 *
 * @param signs Equal for elements that look the same.
 * @returns Null if nothing is there three times.
 */
export function findRepeat(signs: Int32Array): Repeat | null {
  let best: Repeat | null = null, saved = 0;
  for (let period = 1; period <= Math.min(LONGEST, signs.length / 3); period++) {
    let start = 0;
    for (let i = 0; i + period <= signs.length; i++) {
      if (i + period < signs.length && signs[i] === signs[i + period]) continue;
      const count = Math.floor((i - start) / period) + 1;
      if (count >= 3 && (count - 1) * period > saved) {
        best = { start, period, count };
        saved = (count - 1) * period;
      }
      start = i + 1;
    }
  }
  return best;
}

/** Numbers that are equal where the texts are. */
export function signsOf(texts: readonly string[]): Int32Array {
  const known = new Map<string, number>();
  return Int32Array.from(texts, (text) => {
    const sign = known.get(text) ?? known.size;
    known.set(text, sign);
    return sign;
  });
}
