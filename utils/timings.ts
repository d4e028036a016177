/**
 * `timings`: how long each node of a graph took when it was computed with `timing`.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { freedError } from "../ffi/core/handle.ts";
import { lib } from "../ffi/generated/lib.js";
import { timesOf } from "./computing/times.ts";

/** How long one node took. */
export interface NodeTiming {
  /** Its index in the graph. */
  readonly node: number;
  /** Its tensor's name. */
  readonly name: string;
  /** What it computes, as `ggml_op_desc` says. */
  readonly op: string;
  /** Milliseconds. 0 for a node that computes nothing, such as a view. */
  readonly ms: number;
  /** Its share of the whole, from 0 to 1. */
  readonly share: number;
}

/**
 * How long each node of a graph took when it was last computed with `{ timing: true }`.
 *
 * To compute a node by itself costs a call, about 3 µs on the CPU; what takes no longer than that can't be told apart.
 *
 * @param graph The graph, computed by `compute` or `computeAsync`.
 * @returns For each node, in the order of the graph: its index, name and operation, its milliseconds and its share of them all.
 * @throws {TypeError} If it is no graph.
 * @throws {Error} If it was freed, or not computed with `timing` since it was built.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { compute, init, timings } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const a = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 128, 128), 1);
 * const graph = lib.ggml_new_graph(ctx);
 * lib.ggml_build_forward_expand(graph, lib.ggml_relu(ctx, lib.ggml_mul_mat(ctx, a, a)));
 *
 * compute(graph, { timing: true });
 * const [slowest] = timings(graph).toSorted((a, b) => b.ms - a.ms);
 * console.log(slowest.op); // MUL_MAT
 * ```
 */
export function timings(graph: lib.ggml_cgraph): NodeTiming[] {
  if (!(graph instanceof lib.ggml_cgraph)) throw new TypeError(`timings: expected a ggml_cgraph, got ${describe(graph)}`);
  if (graph.owner.freed) throw freedError(graph, "timings");
  const times = timesOf(graph);
  if (times === null) throw new Error("timings: this graph was not computed with timing: call compute(graph, { timing: true }) first");
  const total = times.reduce((sum, ms) => sum + ms, 0);
  return Array.from(times, (ms, i) => {
    const node = lib.ggml_graph_node(graph, i);
    return { node: i, name: node.name, op: lib.ggml_op_desc(node), ms, share: total === 0 ? 0 : ms / total };
  });
}
