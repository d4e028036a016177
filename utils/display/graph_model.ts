/**
 * What a graph is made of, read once.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { timesOf } from "../computing/times.ts";

/** A graph's tensors. */
export interface GraphModel {
  readonly nodes: readonly lib.ggml_tensor[];
  /** What the nodes read that is none of them, in the order in which it is first read. */
  readonly leafs: readonly lib.ggml_tensor[];
  /** The sources of each node. */
  readonly sources: readonly (readonly lib.ggml_tensor[])[];
  /** The index of each node, by its address. */
  readonly indices: ReadonlyMap<bigint, number>;
  /** The milliseconds that each node took; null if that was not measured. */
  readonly times: Float64Array | null;
  /** Their sum. */
  readonly total: number;
}

/** Reads a graph. */
export function readGraph(graph: lib.ggml_cgraph): GraphModel {
  const nodes = Array.from({ length: lib.ggml_graph_n_nodes(graph) }, (_, i) => lib.ggml_graph_node(graph, i));
  const indices = new Map(nodes.map(({ address }, i) => [address, i]));
  const sources = nodes.map(({ src }) => src.filter((source) => source !== null));
  const leafs = new Map(sources.flat().filter(({ address }) => !indices.has(address)).map((leaf) => [leaf.address, leaf]));
  const times = timesOf(graph);
  return { nodes, leafs: [...leafs.values()], sources, indices, times, total: times?.reduce((sum, ms) => sum + ms, 0) ?? 0 };
}
