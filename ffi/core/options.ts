/**
 * Options by name: a misspelled one is an error, where nothing else looks. Notebooks check no types.
 *
 * @module
 */

import { describe } from "./describe.ts";

/** Where there are more options than MOST, SOME are named. */
const MOST = 6, SOME = 3;

/**
 * Throws unless it is an object of options that all are known.
 *
 * @param where The function, for the error.
 * @param options What the caller gave.
 * @param known The names that there are.
 * @throws {TypeError} If it is no object, or an option is none of them.
 */
export function expectOptions(where: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    const names = known.length > MOST ? [...known.slice(0, SOME), "…"] : known;
    throw new TypeError(`${where}: expected { ${names.join(", ")} }, got ${describe(options)}`);
  }
  for (const option in options) {
    if (!known.includes(option)) throw new TypeError(`${where}: there is no option ${option}; there are ${known.join(", ")}`);
  }
}

/**
 * The options as they are now, each read once: getters may free what is looked at afterwards, or give something else the next time.
 *
 * @throws What {@linkcode expectOptions} throws.
 */
export function readOptions<O extends object>(where: string, options: O, known: readonly string[]): O {
  expectOptions(where, options, known);
  return Object.fromEntries(known.map((option) => [option, (options as Record<string, unknown>)[option]])) as O;
}

/** Throws unless it is a signal, or nothing. */
export function expectSignal(where: string, signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new TypeError(`${where}: signal must be an AbortSignal, got ${describe(signal)}`);
}

/** Throws unless it is a function, or nothing. */
export function expectFunction(what: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") throw new TypeError(`${what} must be a function, got ${describe(value)}`);
}
