/**
 * The memory of contexts: where each has its tensors and graphs, and whose an address is.
 *
 * @module
 */

import { lastly, type Later } from "../core/after.ts";
import { ownerOfLent } from "../core/failure.ts";
import { provide } from "../core/host.ts";
import { ownersOfType } from "../core/known.ts";
import type { Owner } from "../core/owner.ts";
import { callNow } from "./call_now.ts";

/** Addresses, up to one that isn't among them. */
export interface Memory {
  readonly begin: bigint;
  readonly end: bigint;
}

/** The memory that a context makes its objects in. */
export function memoryOf({ address, arena, base }: Owner): Memory {
  if (arena !== null) return { begin: base, end: base + BigInt(arena.byteLength) };
  const begin = callNow("ggml_get_mem_buffer", ["u64"], "u64", address) as bigint;
  return { begin, end: begin + (callNow("ggml_get_mem_size", ["u64"], "u64", address) as bigint) };
}

/** The owners of the contexts that have memory among some addresses. */
export function contextsIn({ begin, end }: Memory): Owner[] {
  return ownersOfType("ggml_context").filter((context) => {
    const memory = memoryOf(context);
    return memory.begin < end && begin < memory.end;
  });
}

/** The context that was found last: what a callback is given lies in the same one, most often. */
let last: Owner["weak"] | null = null;

/** The owner of the context that something is in; null where it is in none, or in one of C's own. */
function contextAt(address: bigint): Owner | null {
  const known = last?.deref()?.target ?? null;
  if (known?.type === "ggml_context" && !known.freed && isIn(memoryOf(known), address)) return known;
  const found = ownersOfType("ggml_context").find((context) => isIn(memoryOf(context), address)) ?? null;
  last = found?.weak ?? null;
  return found;
}

function isIn({ begin, end }: Memory, address: bigint): boolean {
  return address >= begin && address < end;
}

/** How many comparisons of backends are under way: C makes tensors for one, and frees them before it returns. */
let comparisons = 0;

/** Compares backends. */
export function comparing<T>(compare: () => Later<T>): Later<T> {
  comparisons++;
  return lastly(compare, () => comparisons--);
}

/** What C passes to a callback ends with the context that it is in. Candidates are most often on C's stack: they end with the call. */
function ownerAround(type: string, address: bigint): Owner | null {
  if (type === "llama_token_data_array") return ownerOfLent();
  return type === "ggml_tensor" || type === "ggml_cgraph" ? contextAt(address) ?? (comparisons > 0 ? ownerOfLent() : null) : null;
}

provide({ ownerAround });
