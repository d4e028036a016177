/**
 * Functions that change graphs, or place them anew: not while those are being computed (`../../core/in_use.ts`).
 *
 * @module
 */

import type { Handle } from "../../core/handle.ts";
import { expectIdleGraph, expectUnused } from "../../core/in_use.ts";

/** The numbers of the arguments that must be idle: a graph, and what holds the memory of graphs. */
interface Idle {
  readonly graph?: number;
  readonly holder?: number;
}

/** Checks of functions of ggml.h, ggml-backend.h and ggml-alloc.h. */
const table = {
  ggml_backend_sched_split_graph: { holder: 0, graph: 1 },
  ggml_backend_sched_reset: { holder: 0 },
  ggml_backend_sched_set_eval_callback: { holder: 0 },
  ggml_graph_clear: { graph: 0 },
  ggml_graph_reset: { graph: 0 },
  ggml_graph_add_node: { graph: 0 },
  ggml_build_forward_expand: { graph: 0 },
  ggml_build_forward_select: { graph: 0 },
  ggml_build_backward_expand: { graph: 1 },
} as const;

function checkOf(name: string, { graph, holder }: Idle) {
  return (_: unknown, ...args: readonly unknown[]): void => {
    if (holder !== undefined) expectUnused(name, args[holder] as Handle);
    if (graph !== undefined) expectIdleGraph(name, args[graph] as Handle);
  };
}

/** The checks, by function. */
export const idle = Object.fromEntries(Object.entries(table).map(([name, which]) => [name, checkOf(name, which)])) as Record<
  keyof typeof table,
  ReturnType<typeof checkOf>
>;
