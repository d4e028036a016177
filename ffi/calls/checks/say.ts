/**
 * How checks say what was expected and what came.
 *
 * @module
 */

import type { lib as generated } from "../../generated/lib.js";
import { has } from "../../load/library.ts";

/** The generated functions and enums. They are passed in: an import would be a circle. */
export type Lib = typeof generated;
/** The enums' numbers by name, of which a release may lack some. */
export type Numbers = Readonly<Record<string, number | undefined>>;
export type Int = number | bigint;
export type Tensor = generated.ggml_tensor;

/** What the bindings have a number for: of what a release lacks, none is to be met. */
export function numbersOf(lib: Lib): Numbers {
  return lib as unknown as Numbers;
}

/** A function that not every release has; null where the bindings or the loaded library lack it. */
export function functionOf<F>(lib: Lib, name: string): F | null {
  return Object.hasOwn(lib, name) && has(name) ? (lib as unknown as Record<string, F>)[name] : null;
}

/** Throws unless a number is the index of one of `count` things. */
export function expectIndex(where: string, value: Int, count: number, what: string): void {
  if (value >= 0 && value < count) return;
  const range = count === 0 ? "of which there is none" : count === 1 ? "of which there is 0 only" : `from 0 to ${count - 1}`;
  throw new RangeError(`${where}: expected the index of ${/^[aeiou]/.test(what) ? "an" : "a"} ${what}, ${range}, got ${value}`);
}

/** Throws unless a number is in a range. */
export function expectBetween(where: string, value: Int, least: number, most: number): void {
  if (value >= least && value <= most) return;
  const range = most === Infinity ? `at least ${least}` : least === -Infinity ? `at most ${most}` : `${least} to ${most}`;
  throw new RangeError(`${where}: expected ${range}, got ${value}`);
}
