/**
 * Graphs in slices: one that computes indices is computed up to the node that takes them, and they are looked at, before it is computed on.
 *
 * @module
 */

import { after, lastly, type Later } from "../../core/after.ts";
import type { Handle } from "../../core/handle.ts";
import { nodesOf } from "../graph_nodes.ts";
import { library } from "../../load/library.ts";
import { checkIndices, type Index } from "./indices.ts";
import type { Lib } from "./kernels.ts";
import type { Pending } from "./pending.ts";

/** Bytes that ggml keeps before a graph, and pads it to. */
const PADDING = 128;

/** The numbers of the nodes that a graph is to be cut before. */
export function stopsOf(late: readonly Index[]): number[] {
  return [...new Set(late.map(({ node }) => node))].sort((a, b) => a - b);
}

/** Throws where one of the indices is out of range that a node takes. */
export function checkAt(where: string, late: readonly Index[], node: number): void {
  for (const index of late) if (index.node === node) checkIndices(where, index);
}

/**
 * Computes a graph in slices.
 *
 * @param compute Computes a slice. What isn't 0 ends it.
 * @returns What `compute` answered last.
 */
export function computeInSlices({ where, lib, graph, late }: Pending, compute: (slice: bigint) => Later<number>): Later<number> {
  const nodes = nodesOf(graph.address).slice(), ends = [...stopsOf(late), nodes.length];
  const context = newContext(lib, ends);
  const computeFrom = (i: number): Later<number> => {
    const begin = ends[i - 1] ?? 0;
    checkAt(where, late, begin);
    const computed = compute(sliceOf(lib, context, nodes.subarray(begin, ends[i])).address);
    return after(computed, (status) => status !== 0 || i + 1 === ends.length ? status : computeFrom(i + 1));
  };
  return lastly(() => computeFrom(0), () => lib.ggml_free(context as never));
}

function newContext(lib: Lib, ends: readonly number[]): Handle {
  const bytes = ends.reduce((sum, end, i) => sum + lib.ggml_graph_overhead_custom(end - (ends[i - 1] ?? 0), false) + PADDING, PADDING);
  return lib.ggml_init(new lib.ggml_init_params({ mem_size: bytes, mem_buffer: null, no_alloc: true }));
}

/** Some nodes of a graph, as a graph of their own. */
function sliceOf(lib: Lib, context: Handle, nodes: BigUint64Array): Handle {
  const slice = lib.ggml_new_graph_custom(context as never, nodes.length, false);
  addNode ??= library().symbol("ggml_graph_add_node", { parameters: ["u64", "u64"], result: "void" }) as typeof addNode;
  for (const node of nodes) addNode!(slice.address, node);
  return slice;
}

let addNode: ((graph: bigint, node: bigint) => void) | null = null;
