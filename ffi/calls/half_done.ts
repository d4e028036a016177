/**
 * What C left half done: a call that failed in the middle of a change leaves an object that C would not survive, or would take for whole.
 *
 * Which those are is decided by what C does to them. Most functions assert before they change anything; a context after a failed `ggml_mul_mat` has a
 * few tensors more, and is in order; a kernel that failed changed nothing but its result, and the graph can be computed again. The table holds the
 * rest. What can be put in order is; anything else is refused from then on, by an Error that says why, but for being freed.
 *
 * @module
 */

import { at } from "../core/at.ts";
import type { Library } from "../load/files.ts";
import type { Handle } from "../core/handle.ts";
import { whenFailed } from "../native/trap.ts";
import { takeBack } from "./placement.ts";
import { forgetGraph, schedulerOf, takeGraph, wasEvaluated } from "./schedulers.ts";

/** What becomes of an argument. */
type Remedy =
  /** The object can't be used any more, nor what points to it. */
  | "refuse"
  /** The object can't be used either, but it lies in another's memory, which is in order. */
  | "refuse part"
  /** C's own function puts the object in order. */
  | "reset scheduler"
  /** The object's graph isn't allocated, and none of the graph's tensors has memory in the object. After a kernel that failed the graph is. */
  | "take memory back";

/** What a function leaves half done. */
interface HalfDone {
  /** By argument. */
  readonly remedies: Readonly<Record<string, Remedy>>;
  /** What it says where it hadn't changed anything yet. */
  readonly before?: RegExp;
}

const EXPANDED: HalfDone = { remedies: { cgraph: "refuse part" }, before: /GGML_ASSERT\(idx >= 0 && idx < n_tensors\)/ };

/** A scheduler that was told to take a graph. */
function scheduling(graph: "take memory back" | null): HalfDone {
  const before = /GGML_ASSERT\((?:!sched->is_alloc|\(int\)sched->hash_set\.size >= )/;
  return { remedies: { sched: graph ?? "reset scheduler" }, before };
}

const BATCH = /GGML_ASSERT\(.*(?:batch_inp\.token|cparams\.n_u?batch)/;

const TABLE: Readonly<Record<string, HalfDone>> = {
  // The table of what a graph has seen holds tensors that are none of its nodes: it would never compute them.
  ggml_build_forward_expand: EXPANDED,
  ggml_build_forward_select: EXPANDED,
  // The graph has some of the gradients. Where C only asked whether there is anything to do the graph is as it was.
  ggml_build_backward_expand: {
    remedies: { cgraph: "refuse part" },
    before: /GGML_ASSERT\((?:cgraph->n_nodes > 0|cgraph->grads|cgraph->grad_accs|any_params && .*|any_loss && .*)\)/,
  },
  ggml_graph_cpy: { remedies: { dst: "refuse part" }, before: /GGML_ASSERT\(dst->(?:size|visited_hash_set\.size) >= / },

  // An allocator plans anew each time. But tensors have memory by then that others may get, too.
  ggml_gallocr_alloc_graph: { remedies: { galloc: "take memory back" } },
  // A scheduler takes its notes on tensors for those of the graph that it is told of next, until it is reset.
  ggml_backend_sched_alloc_graph: scheduling("take memory back"),
  ggml_backend_sched_graph_compute: scheduling("take memory back"),
  ggml_backend_sched_graph_compute_async: scheduling("take memory back"),
  ggml_backend_sched_reserve: scheduling(null),
  ggml_backend_sched_reserve_size: scheduling(null),
  ggml_backend_sched_split_graph: scheduling(null),

  // The optimizer takes graphs that it built in part, or that its scheduler allocated in part, for what they were to be.
  ggml_opt_alloc: {
    remedies: { opt_ctx: "refuse" },
    before: /GGML_ASSERT\((?:!opt_ctx->eval_ready|opt_ctx->ctx_compute && .*)\)/,
  },
  // The step goes on behind a kernel that failed, with gradients and a loss that are none: they are in the parameters' moments, and in the result.
  ggml_opt_eval: {
    remedies: { opt_ctx: "refuse", result: "refuse" },
    before: /GGML_ASSERT\((?:opt_ctx->eval_ready|opt_pars\.|result->(?:loss_per_datapoint|opt_period|ndata) +==)/,
  },
  ggml_opt_epoch: {
    remedies: { opt_ctx: "refuse", result_train: "refuse", result_eval: "refuse" },
    before: /GGML_ASSERT\((?:ggml_opt_static_graphs|data->ne\[[01]\] |idata_split % )/,
  },
  // The optimizer that C made is nobody's any more, and has its graph in the scheduler.
  ggml_opt_fit: {
    remedies: { backend_sched: "reset scheduler" },
    before: /GGML_ASSERT\((?:ndata +% |nbatch_logical % |val_split )/,
  },

  // C changes the type first, and then asserts that the row can be divided: the strides and the offsets are those of the old one.
  gguf_set_tensor_type: { remedies: { ctx: "refuse" }, before: /tensor not found/ },
  // The key is gone, and nothing in its place.
  gguf_set_arr_data: { remedies: { ctx: "refuse" }, before: /must be type u32|GGML_ASSERT\(!key\.empty\(\)\)/ },
  gguf_set_arr_str: { remedies: { ctx: "refuse" }, before: /must be type u32|GGML_ASSERT\(!key\.empty\(\)\)/ },

  // What it has of the tokens in its memory, nobody knows. Where it only looked at the batch it is as it was.
  llama_encode: { remedies: { ctx: "refuse" }, before: BATCH },
  llama_decode: { remedies: { ctx: "refuse" }, before: BATCH },
};

/** How a call failed. */
interface Failure {
  readonly inKernel: boolean;
  /** What C says. */
  readonly text: string;
}

/**
 * Sees to what a failed call was changing.
 *
 * @param name The function.
 * @param args Its arguments that are handles, by name.
 * @param error What is thrown.
 */
export function spoilChanged(
  library: Library,
  name: string,
  args: Readonly<Record<string, unknown>>,
  error: Error,
  { inKernel, text }: Failure,
): void {
  const entry = Object.hasOwn(TABLE, name) ? TABLE[name] : undefined;
  if (entry === undefined) return;
  if (name === "ggml_opt_eval" && /result->/.test(text)) wasEvaluated((args.opt_ctx as Handle).address);
  const hasBegun = inKernel || entry.before?.test(text) !== true;
  for (const [argument, remedy] of Object.entries(entry.remedies)) {
    const handle = args[argument] as Handle | null | undefined;
    if (handle === null || handle === undefined || handle.owner.gone) continue;
    if (remedy === "take memory back") takeMemoryBack(library, handle, args.graph as Handle, inKernel, hasBegun);
    else if (!hasBegun) continue;
    else if (remedy === "reset scheduler") resetScheduler(library, handle.address);
    else refuse(library, name, handle, remedy, error, inKernel);
  }
}

/** Refuses an object from now on. A kernel that fails is seen to by libllama itself. */
function refuse(library: Library, name: string, handle: Handle, remedy: Remedy, error: Error, inKernel: boolean): void {
  if (inKernel && name.startsWith("llama_")) return;
  const how = `left half done by ${name}, which failed: ${error.message.replace(`${name}: `, "")}`;
  if (remedy === "refuse part") {
    (handle as { owner: Handle["owner"] }).owner = handle.owner.endPart(handle.address, handle.constructor.name, how, error);
    return;
  }
  const scheduler = schedulerOf(handle.address);
  if (scheduler !== undefined) resetScheduler(library, scheduler);
  handle.owner.leaveHalfDone(how, error);
}

/** Sees to what an allocator or a scheduler gave to a graph's tensors. A graph that it had allocated before is left as it is. */
function takeMemoryBack(library: Library, home: Handle, graph: Handle, inKernel: boolean, hasBegun: boolean): void {
  if (inKernel) takeGraph(home.address, graph.address);
  else if (takeBack(home, hasBegun) && hasBegun && home.constructor.name === "ggml_backend_sched") resetScheduler(library, home.address);
}

function resetScheduler(library: Library, scheduler: bigint): void {
  const reset = library.address("ggml_backend_sched_reset");
  if (reset !== null) at(reset, ["u64"], "void")(scheduler);
  forgetGraph(scheduler);
}

whenFailed(spoilChanged);
