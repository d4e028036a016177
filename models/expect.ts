/**
 * Checks of what a caller gives: each error says what was expected and what came.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";

export { expectFunction, expectOptions, expectSignal } from "../ffi/core/options.ts";

/** Throws unless it is a whole number between two. */
export function expectWhole(what: string, value: unknown, least: number, most: number = Infinity): void {
  if (typeof value !== "number") throw new TypeError(`${what}: expected a number, got ${describe(value)}`);
  if (Number.isInteger(value) && value >= least && value <= most) return;
  if (value === Infinity && most === Infinity) return;
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new RangeError(`${what}: expected a whole number ${range}, got ${value}`);
}

/** Throws unless it is a number between two. */
export function expectNumber(what: string, value: unknown, least: number = -Infinity, most: number = Infinity): void {
  if (typeof value !== "number") throw new TypeError(`${what}: expected a number, got ${describe(value)}`);
  if (Number.isFinite(value) && value >= least && value <= most) return;
  const range = least === -Infinity && most === Infinity
    ? "a finite number"
    : most === Infinity
    ? `a number of at least ${least}`
    : `a number from ${least} to ${most}`;
  throw new RangeError(`${what}: expected ${range}, got ${value}`);
}

/** Throws unless it is true or false. */
export function expectBoolean(what: string, value: unknown): void {
  if (typeof value !== "boolean") throw new TypeError(`${what}: expected true or false, got ${describe(value)}`);
}

/** Throws unless it is a text with something in it. */
export function expectText(what: string, value: unknown): void {
  if (typeof value !== "string" || value === "") throw new TypeError(`${what}: expected a text that isn't empty, got ${describe(value)}`);
}

/** Throws unless it is one of some texts. */
export function expectOneOf(what: string, value: unknown, known: readonly string[]): void {
  if (!known.includes(value as string)) {
    throw new TypeError(`${what}: expected ${known.map((each) => JSON.stringify(each)).join(", ")}, got ${describe(value)}`);
  }
}
