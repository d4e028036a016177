/**
 * Timing inside a process: several rounds, of which the median counts, so that warming up and other people's work don't.
 *
 * What measures itself prints one line of JSON, a {@linkcode Report}.
 *
 * @module
 */

/** What a program that measures itself prints. */
export interface Report {
  /** Nanoseconds a piece of work takes. */
  readonly ns: number;
  /** What came out of the work, which must be the same for every contender. */
  readonly answer: string;
}

/** How often a loop is measured. */
const ROUNDS = 15;

/** The middle one of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * Runs rounds of a loop and prints how long one turn took.
 *
 * @param loop Does the work `turns` times and returns something that comes out of all of it, so that the work can't be left out.
 * @param answer What `loop` must return, as text; checked after every round.
 */
export function measure(loop: (turns: number) => unknown, turns: number, answer: string): void {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const result = loop(turns);
    times.push((performance.now() - start) * 1e6 / turns);
    if (String(result) !== answer) throw new Error(`expected ${answer}, got ${result}`);
  }
  report(median(times), answer);
}

/** Prints a measurement. */
export function report(ns: number, answer: string): void {
  console.log(JSON.stringify({ ns, answer } satisfies Report));
}
