/**
 * `slice`: a part of a tensor, to copy to and from or to view, without a tensor of its own in a context.
 *
 * @module
 */

import type { lib } from "../ffi/generated/lib.js";
import { type Range, sliceOf, type TensorSlice } from "./copying/tensor_slice.ts";

/**
 * A part of a tensor, for `copy` and `view`.
 *
 * The dimensions are those of `view(tensor).shape`: row-major, the tensor's `ne` reversed; with more ranges, up to four, those of 1 in front count, too. As in NumPy a negative index counts from the end, an
 * end beyond the dimension means its end, and a negative step goes backwards.
 *
 * @param tensor The tensor, or a part of one.
 * @param ranges One for each dimension; those left out at the end are taken whole. Along the fastest dimension of a quantized tensor a range
 * begins and ends between blocks, with a step of 1.
 * @returns The part: the same memory, not a copy.
 * @throws {TypeError} If `tensor` is none, or a range isn't one.
 * @throws {Error} If the tensor was freed.
 * @throws {RangeError} If there are too many ranges, an index is outside of the tensor, or a range cuts a block.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { copy, init, slice, view } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 3, 2); // 2 rows of 3
 * copy([[1, 2, 3], [4, 5, 6]], a);
 * copy([50, 60], slice(a, 1, [1, 3])); // the last two of row 1
 * console.log(view(slice(a, null, -1)).get(1)); // 60
 * ```
 */
export function slice(tensor: lib.ggml_tensor | TensorSlice, ...ranges: Range[]): TensorSlice {
  return sliceOf(tensor, ranges);
}
