/**
 * What C left half done: a call that failed in the middle of a change leaves an object that C would not survive, or would take for whole.
 *
 * Which those are is decided by what C does to them. A context after a failed `ggml_mul_mat` has a few tensors more, and is in order; a kernel that
 * failed changed nothing but its result; most functions assert before they change anything. The table holds the rest.
 *
 * @module
 */

import { at } from "./at.ts";
import type { Library } from "./files.ts";
import type { Handle } from "./handle.ts";
import { Owner } from "./owner.ts";
import { forgetGraph } from "./schedulers.ts";

/** What is to be done with an argument. */
type Remedy =
  /** It can't be used any more, but freed. */
  | "refuse"
  /** As that, but for the handle alone: the object lies in another's memory. */
  | "refuse handle"
  /** C's own function puts it in order. */
  | "reset scheduler"
  /** As "refuse", and its scheduler is put in order, which may point into it by now. */
  | "refuse and reset its scheduler";

/** By function, and by argument. */
const TABLE: Readonly<Record<string, Readonly<Record<string, Remedy>>>> = {
  // Its table of what it has seen holds tensors that are none of its nodes: they would never be computed.
  ggml_build_forward_expand: { cgraph: "refuse handle" },
  ggml_build_forward_select: { cgraph: "refuse handle" },
  ggml_build_backward_expand: { cgraph: "refuse handle" },
  ggml_graph_cpy: { dst: "refuse handle" },
  // It takes what it planned for what it allocated.
  ggml_gallocr_alloc_graph: { galloc: "refuse" },
  ggml_gallocr_reserve: { galloc: "refuse" },
  ggml_gallocr_reserve_n: { galloc: "refuse" },
  // It takes its splits for those of the graph that it was told of.
  ggml_backend_sched_alloc_graph: { sched: "reset scheduler" },
  ggml_backend_sched_reserve: { sched: "reset scheduler" },
  ggml_backend_sched_reserve_size: { sched: "reset scheduler" },
  ggml_backend_sched_split_graph: { sched: "reset scheduler" },
  ggml_backend_sched_graph_compute: { sched: "reset scheduler" },
  ggml_backend_sched_graph_compute_async: { sched: "reset scheduler" },
  // Graphs that it built in part are taken for built.
  ggml_opt_prepare_alloc: { opt_ctx: "refuse" },
  ggml_opt_alloc: { opt_ctx: "refuse and reset its scheduler" },
  ggml_opt_eval: { opt_ctx: "refuse and reset its scheduler" },
  ggml_opt_epoch: { opt_ctx: "refuse and reset its scheduler" },
  ggml_opt_fit: { backend_sched: "reset scheduler" },
  // Its attention stays what only an encoder's is.
  llama_encode: { ctx: "refuse" },
};

/**
 * Sees to what a failed call was changing.
 *
 * @param name The function.
 * @param args Its arguments that are handles, by name.
 * @param error What it failed of.
 */
export function spoilChanged(library: Library, name: string, args: Readonly<Record<string, unknown>>, error: Error): void {
  for (const [argument, remedy] of Object.entries(TABLE[name] ?? {})) {
    const handle = args[argument] as Handle | null | undefined;
    if (handle === null || handle === undefined || handle.owner.freed) continue;
    if (remedy === "reset scheduler") {
      resetScheduler(library, handle.address);
      continue;
    }
    if (remedy === "refuse and reset its scheduler") {
      for (const { type, address, freed } of handle.owner.keptOwners) {
        if (type === "ggml_backend_sched" && !freed) resetScheduler(library, address);
      }
    }
    const how = `left half done by ${name}, which failed (${error.message})`;
    const ending = { type: handle.constructor.name, how, gone: false, culprit: null, site: null };
    if (remedy === "refuse handle") (handle as { owner: Owner }).owner = new Owner(handle.address);
    handle.owner.spoil(ending);
  }
}

function resetScheduler(library: Library, scheduler: bigint): void {
  const reset = library.address("ggml_backend_sched_reset");
  if (reset !== null) at(reset, ["u64"], "void")(scheduler);
  forgetGraph(scheduler);
}
