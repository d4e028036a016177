/**
 * Binding: from a function's name to the symbol that Deno made for it, when it is first called.
 *
 * @module
 */

import type { Abi } from "../load/abi.ts";
import { expectAbi, expectLlama, library } from "../load/library.ts";
import { guarded } from "./threads.ts";
import { watched } from "./watch.ts";

/** Binds one function. The result is what `Deno.dlopen` gives, typed by whoever asked. */
// deno-lint-ignore no-explicit-any
export type Bind = (name: string, parameters: readonly Deno.NativeType[], result: Deno.NativeResultType) => any;

/**
 * The `bind` of one set of generated files.
 *
 * @param abi What the library must agree with; checked once, when it is loaded.
 */
export function binder(abi: Abi): Bind {
  expectAbi(abi);
  return (name, parameters, result) => {
    if (name.startsWith("llama_")) expectLlama(abi);
    const symbol = library().symbol(name, { parameters, result }, abi.release) as (...args: unknown[]) => unknown;
    return guarded(name, watched(name, symbol));
  };
}
