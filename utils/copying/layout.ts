/**
 * Layouts of tensors and arrays: how their elements lie in memory, in one form for both.
 *
 * Shapes here are row-major, as `ndarray`'s are: ggml's `ne` reversed, without the dimensions of 1 that ggml adds to make four.
 *
 * @module
 */

import { quote } from "../../ffi/core/describe.ts";
import { memory } from "../../ffi/core/handle.ts";
import { ABI } from "../../ffi/generated/layouts.js";
import { lib } from "../../ffi/generated/lib.js";
import type { Layout } from "./box.ts";
import type { Elements } from "../arrays/ndarray.ts";
import { rankOf } from "./rank.ts";
import { type TypeInfo, typeInfo } from "./types.ts";

/** A tensor's type, shape and name in one phrase. */
export function describeTensor(tensor: lib.ggml_tensor): string {
  const name = tensor.name;
  return `tensor${name === "" ? "" : ` ${quote(name)}`} of ${typeInfo(tensor.type).name}, ne=[${tensor.ne.join(", ")}]`;
}

const { op_params: PARAMETERS } = ABI.records.ggml_tensor.fields;

/**
 * How a tensor's elements lie, counted from its data.
 *
 * @throws {Error} If the elements don't divide into the type's blocks.
 */
export function layoutOf(tensor: lib.ggml_tensor, { blockSize, typeSize, name }: TypeInfo, role: string): Layout {
  const ne = [...tensor.ne], nb = [...tensor.nb];
  const dimension = blockSize === 1 ? 0 : blockDimension(tensor);
  if (ne[dimension] % blockSize !== 0) {
    throw new Error(`${role}: ${describeTensor(tensor)}: a row of ${ne[dimension]} is not a multiple of ${name}'s block of ${blockSize}`);
  }
  const rank = Math.max(rankOf(tensor), dimension + 1);
  const shape = ne.slice(0, rank).reverse(), strides = nb.slice(0, rank).reverse();
  return { shape, strides, offset: 0, blockSize, unit: typeSize, blockAxis: rank - 1 - dimension };
}

/**
 * Which of a tensor's dimensions its blocks lie along, in ggml's order: the first, unless it was transposed or permuted. The layout doesn't say:
 * a tensor of as many rows as a block has elements looks the same transposed.
 */
function blockDimension(tensor: lib.ggml_tensor): number {
  const { op, src } = tensor;
  if (op !== lib.GGML_OP_TRANSPOSE && op !== lib.GGML_OP_PERMUTE) return 0;
  const before = blockDimension(src[0]!);
  if (op === lib.GGML_OP_PERMUTE) return memory(tensor).getInt32(tensor.$offset + PARAMETERS + 4 * before, true);
  return before > 1 ? before : 1 - before;
}

/**
 * The tensor that a transposed or permuted one shows another way: the same data. ggml takes the blocks of a quantized one to lie along its first
 * dimension when it asks itself how long it is, so it is asked about this one.
 */
export function unpermuted(tensor: lib.ggml_tensor): lib.ggml_tensor {
  const { op, src } = tensor;
  return op === lib.GGML_OP_TRANSPOSE || op === lib.GGML_OP_PERMUTE ? unpermuted(src[0]!) : tensor;
}

/** How an `ndarray`'s elements lie, counted from its data. */
export function layoutOfArray({ shape, stride, offset, data }: Elements): Layout {
  const unit = data.BYTES_PER_ELEMENT;
  return {
    shape: [...shape],
    strides: stride.map((step) => step * unit),
    offset: offset * unit,
    blockSize: 1,
    unit,
    blockAxis: shape.length - 1,
  };
}
