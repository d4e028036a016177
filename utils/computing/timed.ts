/**
 * Computing a graph node by node, with a look at the clock before and after each.
 *
 * On a backend each node is a graph of its own (`slices.ts`). A scheduler takes no such slices: it is asked to stop after each node instead.
 *
 * @module
 */

import { onBehalf } from "../../ffi/core/on_behalf.ts";
import { type Ask, evaluationOf } from "../../ffi/calls/evaluation.ts";
import { operatorsOf } from "../../ffi/calls/threads.ts";
import { lib } from "../../ffi/generated/lib.js";
import { makePlan, type Pool, poolOf } from "./plan.ts";
import { cutNodes } from "./slices.ts";
import { expectSuccess, type Task } from "./task.ts";
import { remember } from "./times.ts";
import type { Work } from "./work.ts";

/** Computes and remembers what `timings` tells. A CPU backend's own threads are not used. */
export function computeTimed({ graph, backend, work }: Task, threads: number): void {
  const times = new Float64Array(work.nodes.length);
  if (backend instanceof lib.ggml_backend_sched) {
    const note = timer(backend, work, times, "compute");
    const callback = new lib.ggml_backend_sched_eval_callback((node, ask) => note(node!.address, ask));
    lib.ggml_backend_sched_set_eval_callback(backend, callback, null);
    try {
      expectSuccess(onBehalf("compute", lib.ggml_backend_sched_graph_compute, backend, graph), "compute");
    } finally {
      lib.ggml_backend_sched_set_eval_callback(backend, null, null);
    }
  } else {
    // A graph with an operator in TypeScript is computed by one thread.
    const pool = poolOf([...operatorsOf(graph.address)].length > 0 ? 1 : threads);
    const { slices, context } = cutNodes(graph, work);
    try {
      for (const { graph: slice, end } of slices) {
        if (work.costs[end - 1] === 0) continue; // a view: there is nothing to compute
        const call = backend === null ? onCpu(slice, pool) : () => onBehalf("compute", lib.ggml_backend_graph_compute, backend, slice);
        const start = performance.now();
        const status = call();
        times[end - 1] = performance.now() - start;
        expectSuccess(status, "compute");
      }
    } finally {
      lib.ggml_free(context);
      pool.free();
    }
  }
  remember(graph, work.nodes, times);
}

function onCpu(graph: lib.ggml_cgraph, pool: Pool): () => number {
  const plan = makePlan(graph, pool);
  return () => {
    try {
      return onBehalf("compute", lib.ggml_graph_compute, graph, plan);
    } finally {
      plan.owner.end("computed", () => {}); // or the pool would know of each until the event loop turns
    }
  };
}

/**
 * Notes how long each node takes: what a scheduler's evaluation callback does, which has it stop after each.
 *
 * @param onNode Hears of each node that is done; the scheduler goes on if it answers true.
 * @throws {Error} If the scheduler has an evaluation callback of its own.
 */
export function timer(
  sched: lib.ggml_backend_sched,
  { nodes, costs }: Work,
  times: Float64Array,
  where: string,
  onNode: (index: number) => boolean = () => true,
): Ask {
  if (evaluationOf(sched.address) !== null) {
    throw new Error(`${where}: the scheduler has an evaluation callback, which timing would replace: take it away first`);
  }
  const indices = new Map(Array.from(nodes, (address, i) => [address, i]));
  let start = performance.now();
  return (node, ask) => {
    const now = performance.now(), index = indices.get(node); // undefined for a copy of the scheduler's own
    const isComputed = index !== undefined && costs[index] > 0; // a view isn't
    if (!ask && isComputed) times[index] = now - start;
    const answer = ask ? isComputed : index === undefined || onNode(index);
    start = performance.now();
    return answer;
  };
}
