/**
 * Placement: which contexts' tensors an allocator or a scheduler puts into its own memory.
 *
 * `ggml_gallocr_alloc_graph` and its like give memory to every tensor of a graph that has none yet, whichever context it is in. When the
 * allocator is freed those contexts can't be used any more, but others that the graph only reads from, such as the weights', can. Which ones
 * are meant is told by what is known of the contexts, since a walk over all tensors would cost as much as the allocation.
 *
 * @module
 */

import type { Handle } from "./handle.ts";
import { library } from "./library.ts";
import { type Owner, STATIC } from "./owner.ts";

let noAlloc: ((context: bigint) => boolean) | null = null;

/** Has the contexts keep `home` whose tensors it gave memory when it allocated `graph`. */
export function places(graph: Handle, home: Handle): void {
  if (graph.owner === STATIC) STATIC.keep(home.owner); // nobody knows for how long
  for (const context of contextsOf(graph.owner)) {
    if (context === graph.owner || !hasBuffer(context)) context.keep(home.owner);
  }
}

/** The contexts that a graph reaches whose tensors are made without memory. */
function contextsOf(owner: Owner, seen: Set<Owner> = new Set()): Owner[] {
  if (seen.has(owner) || owner === STATIC) return [];
  seen.add(owner);
  const inner = owner.keptOwners.flatMap((kept) => contextsOf(kept, seen));
  return owner.type === "ggml_context" && hasNoAlloc(owner) ? [owner, ...inner] : inner;
}

function hasNoAlloc({ address, freed }: Owner): boolean {
  if (freed) return false;
  noAlloc ??= library().symbol("ggml_get_no_alloc", { parameters: ["u64"], result: "bool" }) as (context: bigint) => boolean;
  return noAlloc(address);
}

/** True for a context whose tensors were put in a backend's buffer before. */
function hasBuffer(context: Owner): boolean {
  return context.keptOwners.some(({ type }) => type === "ggml_backend_buffer");
}
