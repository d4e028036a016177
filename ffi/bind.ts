/**
 * Binding: from a function's name to the symbol that Deno made for it.
 *
 * Deno compiles machine code for each symbol: calls through it take nanoseconds, but the compiler takes 0.12 ms. By its address a function is there
 * in 5 µs, and called in 1.3. So the first calls go by the address, and who calls on gets the symbol.
 *
 * @module
 */

import type { Abi } from "./abi.ts";
import { at } from "./at.ts";
import { expectAbi, library } from "./library.ts";
import { watched } from "./schedulers.ts";
import { guarded } from "./threads.ts";

// deno-lint-ignore no-explicit-any -- whatever the function takes and returns
type Symbol = (...args: any[]) => any;

/**
 * Binds one function.
 *
 * @param replace Takes the function that is to be called from then on.
 * @returns The function that is to be called until then, typed by whoever asked.
 */
export type Bind = (
  name: string,
  parameters: readonly Deno.NativeType[],
  result: Deno.NativeResultType,
  replace: (symbol: Symbol) => void,
) => Symbol;

/** How many calls go by the address: about as many as take the time of compiling. */
const FIRST_CALLS = 4;

/**
 * The `bind` of one set of generated files.
 *
 * @param abi What the library must agree with; checked once, when it is loaded.
 */
export function binder(abi: Abi): Bind {
  expectAbi(abi);
  return (name, parameters, result, replace) => {
    const loaded = library(), address = loaded.address(name);
    if (address === null) throw loaded.missing(name);
    const call = at(address, parameters, result) as Symbol;
    const wrap = (symbol: Symbol) => guarded(name, watched(name, symbol));
    let left = FIRST_CALLS;
    return wrap((...args) => {
      if (--left === 0) replace(wrap(loaded.symbol(name, { parameters, result }) as Symbol));
      return call(...args);
    });
  };
}
