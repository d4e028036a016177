/**
 * Who has a context's memory.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { bufferOf } from "../copying/operand.ts";

/** A context's memory, in bytes. */
export interface ContextMemory {
  readonly size: number;
  readonly used: number;
  /** True if its tensors get their data elsewhere. */
  readonly noAlloc: boolean;
  /** The tensors in the order in which they were made. */
  readonly tensors: readonly TensorMemory[];
  /** What is used by graphs, and by other objects that are no tensors. */
  readonly rest: number;
  /** The bytes of the tensors' data that lie in backends' buffers. */
  readonly elsewhere: number;
}

/** The part of a context's memory that one tensor has. */
export interface TensorMemory {
  readonly tensor: lib.ggml_tensor;
  /** With what ggml keeps about it. */
  readonly bytes: number;
}

/** Reads a context. */
export function readContext(ctx: lib.ggml_context): ContextMemory {
  const size = lib.ggml_get_mem_size(ctx), used = lib.ggml_used_mem(ctx), noAlloc = lib.ggml_get_no_alloc(ctx);
  const overhead = lib.ggml_tensor_overhead(), align = lib.GGML_MEM_ALIGN;
  const tensors: TensorMemory[] = [];
  let sum = 0, elsewhere = 0;
  for (let tensor = lib.ggml_get_first_tensor(ctx); tensor !== null; tensor = lib.ggml_get_next_tensor(ctx, tensor)) {
    const isHere = tensor.view_src === null && liesAfter(tensor);
    const data = isHere || (tensor.view_src === null && bufferOf(tensor) !== null) ? lib.ggml_nbytes(tensor) : 0;
    const bytes = overhead + (isHere ? Math.ceil(data / align) * align : 0);
    if (!isHere) elsewhere += data;
    tensors.push({ tensor, bytes });
    sum += bytes;
  }
  return { size, used, noAlloc, tensors, rest: Math.max(0, used - sum), elsewhere };
}

/** True if a tensor's data follow it in the context's memory, where ggml puts them unless told otherwise. */
function liesAfter({ data, address, constructor }: lib.ggml_tensor): boolean {
  return data !== null && data.address === address + BigInt((constructor as typeof lib.ggml_tensor).size);
}
