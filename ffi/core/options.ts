/**
 * Options by name: a misspelled one is an error, where nothing else looks. Notebooks check no types.
 *
 * @module
 */

import { describe } from "./describe.ts";

/** Where there are more options than MOST, SOME are named. */
const MOST = 6, SOME = 3;

/**
 * Throws unless it is an object of options that all are known. Each is read once: a getter is the caller's code, which may free or change what was
 * looked at before.
 *
 * @param where The function, for the error.
 * @param options What the caller gave.
 * @param known The names that there are.
 * @returns What the options are now.
 * @throws {TypeError} If it is no object, or an option is none of them.
 */
export function expectOptions<T>(where: string, options: T, known: readonly string[]): T {
  if (typeof options !== "object" || options === null) {
    const names = known.length > MOST ? [...known.slice(0, SOME), "…"] : known;
    throw new TypeError(`${where}: expected { ${names.join(", ")} }, got ${describe(options)}`);
  }
  for (const option in options) {
    if (!known.includes(option)) throw new TypeError(`${where}: there is no option ${option}; there are ${known.join(", ")}`);
  }
  const taken: Record<string, unknown> = {};
  for (const name of known) taken[name] = options[name as keyof T];
  return taken as T;
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
