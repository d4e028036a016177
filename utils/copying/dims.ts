/**
 * How many dimensions are meant. ggml's tensors have four, and the ones of 1 at the end say nothing: a batch of one looks like no batch at all. So a
 * caller can say it, and a tensor that was made from an array remembers how many that had.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";
import { lib } from "../../ffi/generated/lib.js";
import { expectInside, isNdArray, ndarray, type TypedArray } from "../arrays/ndarray.ts";
import { TensorSlice } from "./tensor_slice.ts";
import { layoutOf } from "./layout.ts";
import type { TensorLike } from "./operand.ts";
import { inDims } from "./rank.ts";
import { typeInfo } from "./types.ts";

/** An option that says how many dimensions are meant. */
export interface DimsOption {
  /**
   * How many dimensions the array has, one to four: `view(t, { dims: 2 }).shape` is `[1, 4]` for `ne = [4, 1, 1, 1]`. By default those up to the last
   * that isn't 1, or as many as the array had that the tensor was made from.
   */
  dims?: number;
}

/** An array or tensor as one of so many dimensions; as it is if nothing is said. */
export function withDims(value: TensorLike, dims: number | undefined, role: string): TensorLike {
  if (dims === undefined) return value;
  if (typeof dims !== "number") throw new TypeError(`${role}: dims must be a number, got ${describe(dims)}`);
  if (!Number.isInteger(dims) || dims < 1 || dims > lib.GGML_MAX_DIMS) {
    throw new RangeError(`${role}: dims must be a whole number from 1 to ${lib.GGML_MAX_DIMS}, got ${dims}`);
  }
  if (value instanceof TensorSlice) return new TensorSlice(value.tensor, inDims(value.layout, dims, role));
  if (value instanceof lib.ggml_tensor) {
    if (value.owner.freed) return value; // whoever uses it says so
    return new TensorSlice(value, inDims(layoutOf(value, typeInfo(value.type), role), dims, role));
  }
  if (isNdArray(value)) {
    expectInside(value, () => `${role}: an ndarray of shape [${value.shape.join(", ")}]`);
    const { shape, strides } = inDims({ ...value, strides: value.stride, blockAxis: 0 }, dims, role);
    return ndarray(value.data, shape, strides, value.offset);
  }
  if (!ArrayBuffer.isView(value)) return value;
  return ndarray(value as TypedArray, [...Array(dims - 1).fill(1), (value as TypedArray).length]);
}
