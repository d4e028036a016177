/**
 * The memory of contexts: where each has its tensors and graphs, and whose an address is.
 *
 * @module
 */

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

provide({ ownerAround: contextAt });
