/**
 * How long the nodes of graphs took, for `timings`.
 *
 * @module
 */

import type { Owner } from "../../ffi/core/owner.ts";
import { lib } from "../../ffi/generated/lib.js";

interface Timed {
  readonly nodes: BigUint64Array;
  readonly times: Float64Array;
}

/** By what keeps the graph alive, and its address: there may be any number of handles of one graph. */
const timed: WeakMap<Owner, Map<bigint, Timed>> = new WeakMap();

/** Notes how long each node of a graph took, in milliseconds. */
export function remember({ owner, address }: lib.ggml_cgraph, nodes: BigUint64Array, times: Float64Array): void {
  let graphs = timed.get(owner);
  if (graphs === undefined) timed.set(owner, graphs = new Map());
  graphs.set(address, { nodes: nodes.slice(), times });
}

/** The milliseconds of each node; null if the graph was not timed, or became another one since (`ggml_graph_clear`, `ggml_reset`). */
export function timesOf(graph: lib.ggml_cgraph): Float64Array | null {
  const found = timed.get(graph.owner)?.get(graph.address);
  if (found === undefined || lib.ggml_graph_n_nodes(graph) !== found.nodes.length) return null;
  return found.nodes.every((address, i) => lib.ggml_graph_node(graph, i).address === address) ? found.times : null;
}
