/**
 * `toArray`: the numbers of a tensor, in a typed array.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { lib } from "../ffi/generated/lib.js";
import { allocate } from "./copying/allocate.ts";
import { operand, type TensorLike } from "./copying/operand.ts";
import { plan } from "./copying/plan.ts";
import { transfer } from "./copying/transfer.ts";
import { type TypedArrayConstructor, typeInfo } from "./copying/types.ts";
import { isNdArray, type TypedArray } from "./arrays/ndarray.ts";
import { corners, rowsOf } from "./printing/corners.ts";
import { TensorSlice } from "./copying/tensor_slice.ts";

/**
 * The numbers of a tensor, of a part of one or of an `ndarray`, one after the other in row-major order: a new typed array, whatever the layout.
 *
 * `view(t).data` is the memory that the numbers lie in: of a slice, a transposed or a padded tensor it holds other numbers too, or in another order.
 *
 * @param source The tensor, of any type and layout and in any backend's memory, a `slice` of one, or an `ndarray`.
 * @returns As many numbers as it has, `ne[0]` fastest. F32, quantized types and BF16 are a `Float32Array`; F16 is a `Float16Array`, F64 a
 * `Float64Array`; integers are in arrays of their own, I64 in a `BigInt64Array`. TypeScript doesn't know which: say `toArray<Int32Array>(t)`.
 * @throws {TypeError} If it is nothing of these, or ggml can't convert its type.
 * @throws {RangeError} If there isn't as much memory.
 * @throws {Error} If the tensor has no memory or was freed.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { init, tensor, toArray } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const a = tensor(ctx, [[1, 2, 3], [4, 5, 6]]);
 * console.log(toArray(lib.ggml_transpose(ctx, a))); // Float32Array(6) [ 1, 4, 2, 5, 3, 6 ]
 * ```
 */
export function toArray<D extends TypedArray = Float32Array<ArrayBuffer>>(source: Exclude<TensorLike, TypedArray>): NoInfer<D> {
  const where = "toArray";
  if (!(source instanceof lib.ggml_tensor) && !(source instanceof TensorSlice) && !isNdArray(source)) {
    throw new TypeError(`${where}: expected a tensor, a slice or an ndarray, got ${describe(source)}`);
  }
  if (isNdArray(source)) return corners(rowsOf(source, where), Infinity).values as TypedArray as D;
  const { count } = operand(source, where), constructor = arrayFor(source);
  const array = new constructor(allocate(count * constructor.BYTES_PER_ELEMENT, where).buffer);
  transfer(plan(where, source, array, {}));
  return array as TypedArray as D;
}

/** The class of array that has the numbers. What has none, and the bits of BF16, become 32-bit floats. */
function arrayFor(source: lib.ggml_tensor | TensorSlice): TypedArrayConstructor {
  const { array } = typeInfo((source instanceof TensorSlice ? source.tensor : source).type);
  return array === null || array as unknown === Uint16Array ? Float32Array : array;
}
