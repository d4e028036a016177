/**
 * Functions of C's that may be called once or a million times.
 *
 * Deno makes a trampoline for each function that it binds: a call by it takes some nanoseconds, and to make it 0.1 ms or more. By its address a function
 * costs next to nothing, and a call of it a microsecond or two. So a function is called by its address first, and bound when it is called again and again.
 *
 * @module
 */

import { at } from "./at.ts";
import type { AnyFunction } from "./callback.ts";

/**
 * Gives what calls a function. `replace` is given what is to be called from then on, once that is something faster; `isApart` is true if that is called at
 * another place of the code.
 */
export type Bind = (
  name: string,
  parameters: readonly Deno.NativeType[],
  result: Deno.NativeResultType,
  replace: (bound: AnyFunction) => void,
  isApart?: boolean,
) => AnyFunction;

/** Calls a function with a list of arguments. */
export type Invoke = (args: readonly unknown[]) => unknown;

/** What gives what calls a function until it is bound: `signature` is as in `ggml_add(u64,u64,u64): u64`. */
export type FirstCalls = (signature: string, replace: (bound: AnyFunction) => void) => AnyFunction;

/** What the generated functions call at first, each at a place of its own. */
export function firstCalls(bind: Bind): FirstCalls {
  return (signature, replace) => {
    const [, name, parameters, result] = /^(.*)\((.*)\): (\w+)$/.exec(signature)!;
    const types = parameters === "" ? [] : parameters.split(",") as Deno.NativeType[];
    return bind(name, types, result as Deno.NativeResultType, replace, true);
  };
}

/**
 * How often a function is called by its address. V8 notes at the ninth call of a function what is called in it, and makes calls of a trampoline ten
 * times faster only where it has never seen another callee.
 */
const FEW = 4;
/** Where the trampoline has a place of its own: how many calls by the address cost as much as one makes. */
const BY_ADDRESS = 64;
/** The calls of an `invoker` that do. */
const INVOKED = 256;

/**
 * A C function that is called by its address at first.
 *
 * @param bind Binds it.
 * @param replace See {@linkcode Bind}.
 * @param isApart See {@linkcode Bind}.
 * @param invoker Gives what calls the address faster, if there is such a thing.
 */
export function warming(
  address: bigint,
  parameters: readonly Deno.NativeType[],
  result: Deno.NativeResultType,
  bind: () => AnyFunction,
  replace: (bound: AnyFunction) => void,
  isApart: boolean,
  invoker: () => Invoke | null = () => null,
): AnyFunction {
  const call: AnyFunction = at(address, parameters, result);
  let invoke: Invoke | null = null, calls = 0, most = isApart ? BY_ADDRESS : FEW;
  return (...args) => {
    calls++;
    if (calls === FEW && isApart && (invoke = invoker()) !== null) most = INVOKED;
    if (calls === most) replace(bind());
    return invoke === null ? call(...args) : invoke(args);
  };
}
