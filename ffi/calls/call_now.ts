/**
 * Functions of the library itself, without the arguments' checks and what is kept: by addresses, for whoever has no handles.
 *
 * @module
 */

import { at } from "../core/at.ts";
import { library } from "../load/library.ts";

type Call = (...args: unknown[]) => unknown;

/** A function, and how often it was called. */
interface Known {
  call: Call;
  calls: number;
}

const known: Map<string, Known> = new Map();

/** After so many calls a symbol pays: to make one takes as long as a hundred calls by the address do more. */
const PAID = 100;

/** Calls a function of the library itself: by its address at first, and by a symbol of our own for it once that pays. */
export function callNow(name: string, parameters: readonly Deno.NativeType[], result: Deno.NativeResultType, ...args: unknown[]): unknown {
  let one = known.get(name);
  if (one === undefined) known.set(name, one = { call: byAddress(name, parameters, result), calls: 0 });
  if (++one.calls === PAID) one.call = library().symbol(name, { parameters, result }) as Call;
  return one.call(...args);
}

function byAddress(name: string, parameters: readonly Deno.NativeType[], result: Deno.NativeResultType): Call {
  const pointer = library().symbol(name, { type: "pointer" } as never) as Deno.PointerObject;
  return at(BigInt(Deno.UnsafePointer.value(pointer)), parameters, result) as Call;
}

/** The backends of a scheduler. */
export function backendsOf(scheduler: bigint): bigint[] {
  const count = callNow("ggml_backend_sched_get_n_backends", ["u64"], "i32", scheduler) as number;
  return Array.from({ length: count }, (_, i) => callNow("ggml_backend_sched_get_backend", ["u64", "i32"], "u64", scheduler, i) as bigint);
}
