/**
 * Checks of tensors without a place in a backend's memory, before functions that allocate first and assert then: of what C had allocated nobody would
 * have an address, to free it.
 *
 * @module
 */

import { ABI } from "../../generated/layouts.js";
import { library } from "../../load/library.ts";
import { nodeText } from "../../load/tensor_text.ts";
import { nodesOf } from "../graph_nodes.ts";
import type { Handle } from "../../core/handle.ts";
import type { lib as generated } from "../../generated/lib.js";
import { MAX_SOURCES, sourceAt, TensorMemory, WORD } from "../tensor_memory.ts";
import type { Lib, Tensor } from "./say.ts";

const { fields } = ABI.records.ggml_tensor;

/** The address in a field of the tensor that was found last, 0 for null. */
function addressIn({ words, at }: TensorMemory, field: number): number {
  return words[at + field / 4] + words[at + field / 4 + 1] * WORD;
}

/** The tensor whose memory a tensor is in: a view's source, or itself. */
function homeOf(memory: TensorMemory, tensor: number): number {
  memory.find(tensor);
  return addressIn(memory, fields.view_src) || tensor;
}

/** Where a tensor is that isn't in a backend's buffer; null if it is in one. */
function whereElse(memory: TensorMemory, tensor: number): string | null {
  const home = homeOf(memory, tensor);
  if (addressIn(memory, fields.data) === 0) return "no memory";
  memory.find(home);
  return addressIn(memory, fields.buffer) === 0 ? "its context's memory" : null;
}

/** All tensors of a graph: its nodes, and what these are made from. */
function tensorsOf(memory: TensorMemory, graph: Handle): Set<number> {
  const found = new Set(Array.from(nodesOf(graph.address), Number));
  for (const tensor of found) { // grows meanwhile
    found.add(homeOf(memory, tensor));
    memory.find(tensor);
    for (let i = 0; i < MAX_SOURCES; i++) {
      const source = sourceAt(memory.words, memory.at, i);
      if (source !== 0) found.add(source);
    }
  }
  return found;
}

/** A context's tensors that C is about to allocate: views are of its own tensors, or of what has a place. */
function expectPlacedSources(name: string, lib: Lib, ctx: generated.ggml_context): void {
  const own = new Set<bigint>();
  let view: Tensor | null = null, hasNew = false;
  for (let tensor = lib.ggml_get_first_tensor(ctx); tensor !== null; tensor = lib.ggml_get_next_tensor(ctx, tensor)) {
    own.add(tensor.address);
    const { view_src, data, buffer } = tensor;
    if (view_src === null) hasNew ||= data === null;
    else if (buffer === null && view_src.buffer === null && !own.has(view_src.address)) view ??= tensor;
  }
  if (view === null || !hasNew) return; // where there is nothing to allocate C doesn't look at views
  const text = nodeText(library(), view.address), of = nodeText(library(), view.view_src!.address);
  throw new Error(`${name}(ctx): ${text} is a view of ${of}, which is in no backend's buffer: allocate that first`);
}

/** A graph that C copies: it allocates the copies first, and then copies from buffer to buffer. */
export function expectInBuffers(name: string, graph: generated.ggml_cgraph): void {
  const memory = new TensorMemory(graph.owner);
  for (const tensor of tensorsOf(memory, graph)) {
    const where = whereElse(memory, tensor);
    if (where === null) continue;
    const text = nodeText(library(), BigInt(tensor));
    throw new Error(`${name}(graph): expected tensors in backends' buffers, got ${text} in ${where}`);
  }
}

/** Throws where an input of training lies in its context's memory: C asks the buffer that it isn't in. */
export function expectInput(name: string, inputs: Tensor): void {
  if (inputs.data === null || (inputs.view_src ?? inputs).buffer !== null) return;
  const text = nodeText(library(), inputs.address);
  throw new Error(`${name}(inputs): expected a tensor in a backend's buffer, or one without memory, got ${text} in its context's memory`);
}

/** Checks of functions of ggml-alloc.h and ggml-backend.h. */
export const unplaced = {
  ggml_backend_alloc_ctx_tensors(lib: Lib, ctx: generated.ggml_context): void {
    expectPlacedSources("ggml_backend_alloc_ctx_tensors", lib, ctx);
  },
  ggml_backend_alloc_ctx_tensors_from_buft(lib: Lib, ctx: generated.ggml_context): void {
    expectPlacedSources("ggml_backend_alloc_ctx_tensors_from_buft", lib, ctx);
  },
  ggml_backend_graph_copy(_: unknown, _backend: unknown, graph: generated.ggml_cgraph): void {
    expectInBuffers("ggml_backend_graph_copy", graph);
  },
};
