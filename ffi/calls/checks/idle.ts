/**
 * Checks of functions that change graphs, or place them anew: not while those are being computed (`../../core/in_use.ts`).
 *
 * @module
 */

import type { Handle } from "../../core/handle.ts";
import { expectIdleGraph, expectUnused } from "../../core/in_use.ts";
import type { lib as generated } from "../../generated/lib.js";

type Gallocr = generated.ggml_gallocr;
type Graph = generated.ggml_cgraph;
type Sched = generated.ggml_backend_sched;

/** Has neither a graph that is being computed, nor its memory, changed. */
function expectUnusedAnd(name: string, home: Handle, graph: Graph | null): void {
  expectUnused(name, home);
  if (graph !== null) expectIdleGraph(name, graph);
}

/** Of ggml.h, ggml-backend.h and ggml-alloc.h. */
export const idle = {
  ggml_gallocr_alloc_graph(_: unknown, galloc: Gallocr, graph: Graph): void {
    expectUnusedAnd("ggml_gallocr_alloc_graph", galloc, graph);
  },
  ggml_gallocr_reserve(_: unknown, galloc: Gallocr): void {
    expectUnused("ggml_gallocr_reserve", galloc);
  },
  ggml_backend_sched_alloc_graph(_: unknown, sched: Sched, graph: Graph): void {
    expectUnusedAnd("ggml_backend_sched_alloc_graph", sched, graph);
  },
  ggml_backend_sched_split_graph(_: unknown, sched: Sched, graph: Graph): void {
    expectUnusedAnd("ggml_backend_sched_split_graph", sched, graph);
  },
  ggml_backend_sched_reserve(_: unknown, sched: Sched): void {
    expectUnused("ggml_backend_sched_reserve", sched);
  },
  ggml_backend_sched_reserve_size(_: unknown, sched: Sched): void {
    expectUnused("ggml_backend_sched_reserve_size", sched);
  },
  ggml_backend_sched_reset(_: unknown, sched: Sched): void {
    expectUnused("ggml_backend_sched_reset", sched);
  },
  ggml_graph_clear(_: unknown, graph: Graph): void {
    expectIdleGraph("ggml_graph_clear", graph);
  },
  ggml_graph_reset(_: unknown, graph: Graph): void {
    expectIdleGraph("ggml_graph_reset", graph);
  },
  ggml_graph_add_node(_: unknown, graph: Graph): void {
    expectIdleGraph("ggml_graph_add_node", graph);
  },
  ggml_build_forward_expand(_: unknown, graph: Graph): void {
    expectIdleGraph("ggml_build_forward_expand", graph);
  },
  ggml_build_forward_select(_: unknown, graph: Graph): void {
    expectIdleGraph("ggml_build_forward_select", graph);
  },
  ggml_build_backward_expand(_: unknown, _ctx: unknown, graph: Graph): void {
    expectIdleGraph("ggml_build_backward_expand", graph);
  },
};
