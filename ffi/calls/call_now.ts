/**
 * Functions of the library itself, without the arguments' checks and what is kept: by addresses, for whoever has no handles.
 *
 * @module
 */

import { library } from "../load/library.ts";

type Bound = (...args: unknown[]) => unknown;

const symbols: Map<string, Bound> = new Map();

/** Calls a function of the library itself, by a symbol of our own for it. */
export function callNow(name: string, parameters: readonly Deno.NativeType[], result: Deno.NativeResultType, ...args: unknown[]): unknown {
  let symbol = symbols.get(name);
  if (symbol === undefined) symbols.set(name, symbol = library().symbol(name, { parameters, result }) as Bound);
  return symbol(...args);
}

/** The backends of a scheduler. */
export function backendsOf(scheduler: bigint): bigint[] {
  const count = callNow("ggml_backend_sched_get_n_backends", ["u64"], "i32", scheduler) as number;
  return Array.from({ length: count }, (_, i) => callNow("ggml_backend_sched_get_backend", ["u64", "i32"], "u64", scheduler, i) as bigint);
}
