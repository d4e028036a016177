/**
 * Checks of contexts and of graphs in them, but for computing those.
 *
 * @module
 */

import { isOfC } from "../../core/c_memory.ts";
import { expectIdleGraph } from "../../core/in_use.ts";
import type { lib as generated } from "../../generated/lib.js";
import { contextsIn, type Memory } from "../context_memory.ts";
import { bytesBehind } from "./room.ts";
import type { Lib } from "./say.ts";

type Graph = generated.ggml_cgraph;

/** The addresses of a graph's leafs, which no function tells; none where its struct isn't the known one. */
export function leafsOf(lib: Lib, graph: Graph): BigUint64Array {
  // struct ggml_cgraph: int size, n_nodes, n_leafs; ggml_tensor ** nodes, ** grads, ** grad_accs, ** leafs; … The leafs lie behind the nodes.
  const view = new Deno.UnsafePointerView(graph.pointer), size = view.getInt32(0), count = view.getInt32(8);
  const nodes = view.getBigUint64(16), leafs = view.getBigUint64(40);
  const isKnown = size === lib.ggml_graph_size(graph) && view.getInt32(4) === lib.ggml_graph_n_nodes(graph) && count > 0 && count <= size &&
    leafs === nodes + 8n * BigInt(size);
  if (!isKnown) return new BigUint64Array(0);
  return new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(leafs)!, 8 * count));
}

/** Has a new context have memory by itself: one that worked there before, and was not freed, can't be used any more. */
function takeMemory(memory: Memory): void {
  const before = contextsIn(memory);
  for (const { heldBy } of before) {
    if (heldBy !== null) throw new Error(`ggml_init(params): the ggml_context that works in mem_buffer can't end now: ${heldBy}`);
  }
  for (const context of before) {
    context.leaveHalfDone(
      "left without its memory: another ggml_context was made there",
      new Error("here the other ggml_context was made"),
    );
  }
}

/** Checks of functions of ggml.h. */
export const contexts = {
  /** C writes as far as it was told, wherever the memory ends. */
  ggml_init(_: unknown, params: generated.ggml_init_params): void {
    const { mem_buffer, mem_size } = params;
    if (mem_buffer === null) return;
    const bytes = bytesBehind(params.owner, mem_buffer.address);
    if (bytes < mem_size) {
      throw new RangeError(`ggml_init(params): expected mem_size to be at most the ${bytes} bytes of mem_buffer, got ${mem_size}`);
    }
    if (!params.owner.keptMemory.every((memory) => isOfC(memory instanceof ArrayBuffer ? memory : memory.buffer))) {
      takeMemory({ begin: mem_buffer.address, end: mem_buffer.address + BigInt(mem_size) });
    }
  },
  /** C looks at what lies before the tensor, where a context has the offset of the next in its own memory. */
  ggml_get_next_tensor(lib: Lib, ctx: generated.ggml_context, tensor: generated.ggml_tensor): void {
    const { arena, base } = ctx.owner, begin = arena === null ? lib.ggml_get_mem_buffer(ctx).address : base;
    const offset = Number(tensor.address - begin), length = arena?.byteLength ?? lib.ggml_get_mem_size(ctx);
    if (offset >= 0 && offset < length) return;
    const isOwn = tensor.owner.address === tensor.address;
    throw new Error(
      `ggml_get_next_tensor(tensor): expected a tensor of the context, got one ${
        isOwn ? "that was made by new ggml_tensor" : "of another"
      }`,
    );
  },
  /** C takes the tensors of both graphs for visited, and counts uses of those that both have at a place before the counts. */
  ggml_graph_cpy(lib: Lib, _src: Graph, dst: Graph): void {
    expectIdleGraph("ggml_graph_cpy", dst);
    const nodes = lib.ggml_graph_n_nodes(dst), leafs = leafsOf(lib, dst).length;
    if (nodes + leafs === 0) return;
    throw new Error(
      `ggml_graph_cpy(dst): expected an empty graph, got one of ${nodes} nodes and ${leafs} leafs: call ggml_graph_clear first`,
    );
  },
};
