/**
 * Checks of schedulers and graph allocators, which find a place in some buffer for each tensor of a graph.
 *
 * @module
 */

import type { Data } from "../../core/arguments.ts";
import { expectIdleGraph, expectUnused } from "../../core/in_use.ts";
import { atLeast } from "../../core/lengths.ts";
import type { lib as generated } from "../../generated/lib.js";
import { buffersOf } from "../told.ts";
import { leafsOf } from "./contexts.ts";
import { fitAllocator, fitScheduler, reserves } from "./leafs.ts";
import { firstIntegers } from "./pointers.ts";
import { expectBetween, expectIndex, type Int, type Lib } from "./say.ts";

type Gallocr = generated.ggml_gallocr;
type Graph = generated.ggml_cgraph;
type Sched = generated.ggml_backend_sched;

/** What a scheduler can be made for: it takes 21 kB a node at once. No model comes near. */
const MOST_NODES = 2 ** 20;

/** The numbers of the buffers that nodes and leafs are said to be in: C asserts that none is negative, and looks no further. */
function expectBuffers(name: string, lib: Lib, galloc: Gallocr, graph: Graph, nodeIds: Data | null, leafIds: Data | null): void {
  const buffers = buffersOf(galloc.address) ?? Infinity;
  const expect = (parameter: string, ids: Data | null, count: number) => {
    if (ids === null) return;
    const where = `${name}(${parameter})`;
    atLeast(ids, count, 4, "int32s", `${parameter.split("_")[0]}s of the graph`, where);
    firstIntegers(ids, count).forEach((id, i) => id < 0 || expectIndex(`${where}[${i}]`, id, buffers, "buffer"));
  };
  expect("node_buffer_ids", nodeIds, lib.ggml_graph_n_nodes(graph));
  expect("leaf_buffer_ids", leafIds, leafsOf(lib, graph).length);
}

/** Checks of functions of ggml-backend.h and ggml-alloc.h. */
export const scheduling = {
  /** For no node C makes tables without an entry and uses the first; for very many it takes memory until the system ends the process. */
  ggml_backend_sched_new(_: unknown, _backends: unknown, _bufts: unknown, _n_backends: unknown, graph_size: Int): void {
    expectBetween("ggml_backend_sched_new(graph_size)", graph_size, 1, MOST_NODES);
  },
  /** C uses the first of no buffers. */
  ggml_gallocr_new_n(_: unknown, _bufts: unknown, n_bufs: number): void {
    expectBetween("ggml_gallocr_new_n(n_bufs)", n_bufs, 1, Infinity);
  },
  ggml_gallocr_reserve(lib: Lib, galloc: Gallocr, graph: Graph): void {
    expectUnused("ggml_gallocr_reserve", galloc);
    expectIdleGraph("ggml_gallocr_reserve", graph);
    reserves(lib, galloc, graph);
  },
  ggml_gallocr_alloc_graph(lib: Lib, galloc: Gallocr, graph: Graph): void {
    expectUnused("ggml_gallocr_alloc_graph", galloc);
    expectIdleGraph("ggml_gallocr_alloc_graph", graph);
    fitAllocator(lib, galloc, graph);
  },
  ggml_backend_sched_reserve(lib: Lib, sched: Sched, graph: Graph): void {
    expectUnused("ggml_backend_sched_reserve", sched);
    expectIdleGraph("ggml_backend_sched_reserve", graph);
    reserves(lib, sched, graph);
  },
  ggml_backend_sched_reserve_size(lib: Lib, sched: Sched, graph: Graph): void {
    expectUnused("ggml_backend_sched_reserve_size", sched);
    expectIdleGraph("ggml_backend_sched_reserve_size", graph);
    reserves(lib, sched, graph);
  },
  ggml_backend_sched_alloc_graph(lib: Lib, sched: Sched, graph: Graph): void {
    expectUnused("ggml_backend_sched_alloc_graph", sched);
    expectIdleGraph("ggml_backend_sched_alloc_graph", graph);
    fitScheduler(lib, sched, graph);
  },
  ggml_gallocr_reserve_n(lib: Lib, galloc: Gallocr, graph: Graph, nodeIds: Data | null, leafIds: Data | null): void {
    expectUnused("ggml_gallocr_reserve_n", galloc);
    expectIdleGraph("ggml_gallocr_reserve_n", graph);
    expectBuffers("ggml_gallocr_reserve_n", lib, galloc, graph, nodeIds, leafIds);
    reserves(lib, galloc, graph);
  },
  /** Besides, C writes the size of each buffer. */
  ggml_gallocr_reserve_n_size(
    lib: Lib,
    galloc: Gallocr,
    graph: Graph,
    nodeIds: Data | null,
    leafIds: Data | null,
    sizes: Data,
  ): void {
    expectBuffers("ggml_gallocr_reserve_n_size", lib, galloc, graph, nodeIds, leafIds);
    atLeast(sizes, buffersOf(galloc.address) ?? 0, 8, "uint64s", "buffers", "ggml_gallocr_reserve_n_size(sizes)");
    reserves(lib, galloc, graph);
  },
};
