/**
 * `compute`: a graph's results, before it returns.
 *
 * @module
 */

import { onBehalf } from "../ffi/core/on_behalf.ts";
import { lib } from "../ffi/generated/lib.js";
import { keptPlan } from "./computing/plan.ts";
import { type Backend, backendsOf, type ComputeOptions, cores, expectSuccess, prepare, setThreads, type Task } from "./computing/task.ts";
import { computeTimed } from "./computing/timed.ts";

/**
 * Computes a graph and returns when it is done.
 *
 * It asks for no more threads than the machine has cores, where ggml takes any number and becomes thousands of times slower; for one thread
 * where the nodes are small, and where the graph holds an operator in TypeScript. An exception in such an operator is thrown here.
 *
 * @param graph The graph. Its tensors must have memory, but where a scheduler computes it.
 * @param options `threads`, the most to use; `backend`, a `ggml_backend` or `ggml_backend_sched` (by default the CPU); `timing`, to note how
 * long each node takes, for {@linkcode timings}. The number of threads of CPU backends stays as it is set here. In C: `ggml_graph_compute`, `ggml_backend_graph_compute`, `ggml_backend_sched_graph_compute`.
 * @throws {TypeError} If an argument is of the wrong type.
 * @throws {RangeError} If `threads` isn't a positive whole number.
 * @throws {Error} If a node has no memory, or the backend can't reach it or hasn't got the operation (the node, its types and shapes are
 * named); if the graph is being computed already; or if ggml fails.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { compute, copy, init, view } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 3);
 * const squares = lib.ggml_sqr(ctx, a);
 * const graph = lib.ggml_new_graph(ctx);
 * lib.ggml_build_forward_expand(graph, squares);
 *
 * copy(Float32Array.of(1, 2, 3), a);
 * compute(graph);
 * console.log(view(squares).data); // Float32Array(3) [ 1, 4, 9 ]
 * ```
 */
export function compute(graph: lib.ggml_cgraph, options: ComputeOptions = {}): void {
  const task = prepare("compute", graph, options);
  const { backend = null } = task.options;
  // Asynchronous computations are under way on the other cores.
  const threads = Math.min(task.threads, Math.max(1, cores.capacity - cores.inUse));
  if (task.timing) computeTimed(task, threads);
  else expectSuccess(computeOn(backend, task, threads), "compute");
}

function computeOn(backend: Backend | null, { graph, work }: Task, threads: number): number {
  if (backend === null) return onBehalf("compute", lib.ggml_graph_compute, graph, keptPlan(graph, work, threads));
  if (backend instanceof lib.ggml_backend) {
    setThreads([backend], threads);
    return onBehalf("compute", lib.ggml_backend_graph_compute, backend, graph);
  }
  setThreads(backendsOf(backend), threads);
  return onBehalf("compute", lib.ggml_backend_sched_graph_compute, backend, graph);
}
