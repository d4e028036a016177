/**
 * Functions of the library itself, without the arguments' checks and what is kept: by addresses, for whoever has no handles.
 *
 * @module
 */

import type { AnyFunction } from "../core/callback.ts";
import { library } from "../load/library.ts";

const bound: Map<string, AnyFunction> = new Map();

/** Calls a function of the library itself, bound for this alone. */
export function callNow(name: string, parameters: readonly Deno.NativeType[], result: Deno.NativeResultType, ...args: unknown[]): unknown {
  let call = bound.get(name);
  if (call === undefined) bound.set(name, call = library().warming(name, parameters, result, (faster) => bound.set(name, faster), true));
  return call(...args);
}

/** The backends of a scheduler. */
export function backendsOf(scheduler: bigint): bigint[] {
  const count = callNow("ggml_backend_sched_get_n_backends", ["u64"], "i32", scheduler) as number;
  return Array.from({ length: count }, (_, i) => callNow("ggml_backend_sched_get_backend", ["u64", "i32"], "u64", scheduler, i) as bigint);
}
