/**
 * Binding: from a function's name to what calls it, when it is first called.
 *
 * @module
 */

import type { AnyFunction } from "../core/callback.ts";
import type { Bind } from "../core/warming.ts";
import type { Abi } from "../load/abi.ts";
import { expectAbi, expectLlama, library } from "../load/library.ts";
import { guarded } from "./threads.ts";
import { watched } from "./watch.ts";

/**
 * The `bind` of one set of generated files.
 *
 * @param abi What the library must agree with; checked once, when it is loaded.
 */
export function binder(abi: Abi): Bind {
  expectAbi(abi);
  return (name, parameters, result, replace, isApart = false) => {
    if (name.startsWith("llama_")) expectLlama(abi);
    const wrapped = (symbol: AnyFunction) => guarded(name, watched(name, symbol));
    // A wrapper calls what it is around at one place.
    const isWrapped = wrapped(replace) !== replace;
    return wrapped(library().warming(name, parameters, result, (symbol) => replace(wrapped(symbol)), isApart && !isWrapped, abi.release));
  };
}
