/**
 * Functions of C's that may be called once or a million times.
 *
 * Deno makes a trampoline for each function that it binds: a call by it takes some nanoseconds, and to make it up to 0.1 ms. By its address a function
 * costs next to nothing, and a call of it a microsecond. So a function is called by its address first, and bound when it is called again and again.
 *
 * @module
 */

import { at } from "./at.ts";
import type { AnyFunction } from "./callback.ts";

/** Gives what calls a function. `replace` is given what is to be called from then on, once that is something faster. */
export type Bind = (
  name: string,
  parameters: readonly Deno.NativeType[],
  result: Deno.NativeResultType,
  replace: (bound: AnyFunction) => void,
) => AnyFunction;

/**
 * How often a function is called by its address. A trampoline would pay after a hundred calls, but V8 notes at the ninth call of a function what is
 * called in it, and makes calls of a trampoline ten times faster only where it has never seen another callee.
 */
const CALLS = 4;

/**
 * A C function that is called by its address at first.
 *
 * @param bind Binds it.
 * @param replace See {@linkcode Bind}.
 */
export function warming(
  address: bigint,
  parameters: readonly Deno.NativeType[],
  result: Deno.NativeResultType,
  bind: () => AnyFunction,
  replace: (bound: AnyFunction) => void,
): AnyFunction {
  const cold: AnyFunction = at(address, parameters, result);
  let calls = 0;
  return (...args) => {
    if (++calls === CALLS) replace(bind());
    return cold(...args);
  };
}
