/**
 * `computeAsync`: a graph's results, later, with the event loop free meanwhile.
 *
 * How it does that is in `computing/job.ts`, which is loaded by the first call: who computes synchronously needs none of it.
 *
 * @module
 */

import { use } from "../ffi/core/in_use.ts";
import { expectFunction, expectSignal } from "../ffi/core/options.ts";
import type { lib } from "../ffi/generated/lib.js";
import { type ComputeOptions, prepare } from "./computing/task.ts";

/** What {@linkcode computeAsync} takes besides the graph. */
export interface ComputeAsyncOptions extends ComputeOptions {
  /** Cancels the computation. */
  signal?: AbortSignal;
  /** Called from time to time, and at the end, with the number of nodes that are done and the number of all. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Computes a graph while the event loop goes on: timers fire, a server answers.
 *
 * All such computations together use at most as many threads as the machine has cores: several at once get fewer each, down to one (which is
 * faster than to take turns with all: threads of one graph wait for each other at each node), and the others wait for their turn. What they use (the
 * graph, its tensors' contexts, the backend) can't be freed until they are done. Read or write the tensors only then. Operators in TypeScript
 * may be called with any number of threads; an exception in one cancels the computation and is what the promise rejects with.
 *
 * @param graph The graph. It can't be computed twice at once; neither should graphs that share nodes.
 * @param options As for `compute`. `signal` cancels: on the CPU after the node that is being computed, on another backend after about a
 * hundredth of the work or the node, whichever is more, in the queue at once. A cancelled graph's results are unfinished; it can be computed
 * again. `onProgress(done, total)` hears of about a hundred steps. `timing` notes how long each node takes, for `timings`; who wants progress
 * then hears of each. A scheduler that has an evaluation callback keeps it, and then can't be
 * cancelled or report. A CPU backend's own thread pool and abort callback are not used. In C: `ggml_graph_compute` with a
 * `ggml_cplan.abort_callback`, `ggml_backend_graph_compute`, `ggml_backend_sched_graph_compute`.
 * @throws What `compute` throws; the signal's reason (by default an `AbortError`); what `onProgress` or an operator threw. All as a rejection.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { computeAsync, copy, init, view } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 3);
 * const graph = lib.ggml_new_graph(ctx);
 * const squares = lib.ggml_sqr(ctx, a);
 * lib.ggml_build_forward_expand(graph, squares);
 *
 * copy(Float32Array.of(1, 2, 3), a);
 * await computeAsync(graph, { signal: AbortSignal.timeout(60_000) });
 * console.log(view(squares).data); // Float32Array(3) [ 1, 4, 9 ]
 * ```
 */
export async function computeAsync(graph: lib.ggml_cgraph, options: ComputeAsyncOptions = {}): Promise<void> {
  const task = prepare("computeAsync", graph, options);
  const { signal, onProgress } = task.options;
  expectSignal("computeAsync", signal);
  expectFunction("computeAsync: onProgress", onProgress);
  signal?.throwIfAborted();
  const release = use("computeAsync", graph, task.backend === null ? [] : [task.backend]);
  try {
    const { Job } = await import("./computing/job.ts");
    await new Job(task, signal, onProgress).run();
  } finally {
    release();
  }
}
