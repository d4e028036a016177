/**
 * Checks of graph allocators: that an allocator has a buffer for each index and size.
 *
 * @module
 */

import type { Data } from "../arguments.ts";
import { atLeast } from "../lengths.ts";
import type { lib as generated } from "../lib.js";
import { buffersOf } from "../told.ts";
import { expectBetween, expectIndex, type Lib } from "./say.ts";

type Allocator = generated.ggml_gallocr;
type Graph = generated.ggml_cgraph;

/** How many leafs a graph has, which no function tells; 0 where its struct isn't the known one: size, nodes and leafs, an int each. */
function leafsOf(lib: Lib, graph: Graph): number {
  const view = new Deno.UnsafePointerView(graph.pointer), leafs = view.getInt32(8);
  const isKnown = view.getInt32(0) === lib.ggml_graph_size(graph) && view.getInt32(4) === lib.ggml_graph_n_nodes(graph);
  return isKnown && leafs <= view.getInt32(0) ? leafs : 0;
}

/** The buffers of nodes and leafs, with which C indexes the allocator's; of leafs there must be as many as the graph has. */
function expectBuffers(name: string, lib: Lib, galloc: Allocator, graph: Graph, nodes: Data | null, leafs: Data | null): void {
  if (leafs !== null) atLeast(leafs, leafsOf(lib, graph), 4, "int32s", "the leafs of the graph", `${name}(leaf_buffer_ids)`);
  const count = buffersOf(galloc.address);
  if (count === undefined) return;
  const check = (where: string, ids: Data | null, used: number) => {
    if (ids instanceof Int32Array) ids.subarray(0, used).forEach((id, i) => expectIndex(`${where}[${i}]`, id, count, "buffer"));
  };
  check(`${name}(node_buffer_ids)`, nodes, lib.ggml_graph_n_nodes(graph));
  check(`${name}(leaf_buffer_ids)`, leafs, leafsOf(lib, graph));
}

/** Of ggml-alloc.h. */
export const scheduling = {
  /** Reads the first of no buffers when it allocates. */
  ggml_gallocr_new_n(_lib: Lib, _bufts: unknown, n_bufs: number): void {
    expectBetween("ggml_gallocr_new_n(n_bufs)", n_bufs, 1, Infinity);
  },
  ggml_gallocr_reserve_n(lib: Lib, galloc: Allocator, graph: Graph, nodes: Data | null, leafs: Data | null): void {
    expectBuffers("ggml_gallocr_reserve_n", lib, galloc, graph, nodes, leafs);
  },
  /** Besides, writes a size for each buffer. */
  ggml_gallocr_reserve_n_size(lib: Lib, galloc: Allocator, graph: Graph, nodes: Data | null, leafs: Data | null, sizes: Data): void {
    expectBuffers("ggml_gallocr_reserve_n_size", lib, galloc, graph, nodes, leafs);
    const count = buffersOf(galloc.address) ?? 0;
    atLeast(sizes, count, 8, "uint64s", "the allocator's buffers", "ggml_gallocr_reserve_n_size(sizes)");
  },
};
