/**
 * `lib.bigint`: each C function that returns an integer of 64 bits, as one that returns it as a bigint.
 *
 * They are made up from the functions themselves when they are asked for: until then there is this object alone.
 *
 * @module
 */

import { allBits } from "../core/integers.ts";

/** Functions, each with the same parameters, and its result as a bigint. */
export type Bigints<Functions> = {
  readonly [Name in keyof Functions]: Functions[Name] extends (...args: infer Args) => number ? (...args: Args) => bigint : never;
};

type AnyFunction = (...args: unknown[]) => number;

/**
 * The functions whose results are bigints.
 *
 * @param functions All functions, and whatever else is in that object.
 * @param wide Gives the names of those that return an integer of 64 bits.
 */
export function bigints(functions: object, wide: () => readonly string[]): object {
  let made: Record<string, AnyFunction | ((...args: unknown[]) => bigint)> | null = null;
  const all = () => made ??= makeAll(functions as Record<string, AnyFunction>, wide());
  return new Proxy(Object.create(null), {
    get: (_, name) => all()[name as string],
    has: (_, name) => name in all(),
    ownKeys: () => Object.keys(all()),
    getOwnPropertyDescriptor: (_, name) => {
      const value = all()[name as string];
      return value === undefined ? undefined : { value, enumerable: true, configurable: true, writable: true };
    },
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  });
}

function makeAll(functions: Record<string, AnyFunction>, names: readonly string[]): Record<string, (...args: unknown[]) => bigint> {
  return Object.assign(Object.create(null), Object.fromEntries(names.map((name) => [name, make(name, functions[name])])));
}

function make(name: string, number: AnyFunction): (...args: unknown[]) => bigint {
  const call = (...args: unknown[]) => allBits(name, () => number(...args));
  return Object.defineProperties(call, { name: { value: name }, length: { value: number.length } });
}
