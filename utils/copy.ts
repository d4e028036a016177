/**
 * `copy`: numbers into tensors, out of tensors and between them, with (de)quantization on the way.
 *
 * @module
 */

import { describe } from "../ffi/describe.ts";
import { lib } from "../ffi/lib.js";
import { type Operand, operand, type TensorLike } from "./operand.ts";

/** What {@linkcode copy} takes besides its two sides. */
export interface CopyOptions {
  /** False to refuse to copy between two different quantized types, which loses precision twice. By default true. */
  allowRequantize?: boolean;
  /** The importance of each column of a row, for quantizing: as many floats as a row is long. Some types need it (`ggml_quantize_requires_imatrix`). */
  imatrix?: Float32Array;
}

/**
 * Copies numbers from one place to another and converts them as the types demand.
 *
 * Types that stand for real numbers (F32, F16, BF16, F64 and every quantized one) convert to each other, by ggml's own routines
 * (`to_float` of `ggml_get_type_traits`, `ggml_quantize_chunk`). Integers are copied as they are, between equal types only.
 *
 * @param from A tensor, an `ndarray`, or a typed array. A typed array has no shape: it fits every tensor of as many elements, in ggml's order.
 * @param to Where they go. The shapes must be equal: an `ndarray`'s shape is a tensor's `ne` reversed.
 * @throws {TypeError} If a side is nothing of these, or the types don't convert to each other.
 * @throws {RangeError} If the shapes differ.
 * @throws {Error} If a tensor isn't contiguous, has no memory or was freed, or if requantizing isn't allowed.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { copy, init, view } from "@ggml/deno/utils";
 *
 * using ctx = init({ memSize: 1024 * 1024 });
 * const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_Q8_0, 32);
 * copy(new Float32Array(32).fill(0.5), a);
 * console.log(view(a, { allowCopy: true }).get(7).toFixed(3)); // 0.500
 * ```
 */
export function copy(from: TensorLike, to: TensorLike, options: CopyOptions = {}): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`copy: expected { allowRequantize, imatrix }, got ${describe(options)}`);
  }
  const source = operand(from, "copy: source"), destination = operand(to, "copy: destination");
  expectSameShape(source, destination);
  if (source.type === destination.type) destination.bytes.set(source.bytes);
  else convert(source, destination, options);
}

/** Converts by way of 32-bit floats, which cost no step of their own where one side holds them already. */
function convert(source: Operand, destination: Operand, { allowRequantize = true, imatrix }: CopyOptions): void {
  const { toFloat } = source.type, { fromFloat } = destination.type;
  const sides = `from ${source.describe()} to ${destination.describe()}`;
  if (toFloat === null || fromFloat === null) throw new TypeError(`copy: no conversion ${sides}`);
  if (!allowRequantize && source.type.isQuantized && destination.type.isQuantized) {
    throw new Error(`copy: requantizing ${sides} is not allowed (allowRequantize: false)`);
  }
  // A typed array has no rows of its own: the other side's shape says where they end.
  const rowLength = destination.shape === null ? source.rowLength : destination.rowLength;
  if (imatrix !== undefined && (!(imatrix instanceof Float32Array) || imatrix.length !== rowLength)) {
    throw new RangeError(`copy: imatrix must be a Float32Array as long as a row, ${rowLength} (${sides})`);
  }
  if (imatrix === undefined && destination.type.mayNeedImatrix && lib.ggml_quantize_requires_imatrix(destination.type.type)) {
    throw new Error(`copy: ${destination.type.name} can't be quantized without an importance matrix, { imatrix } (${sides})`);
  }
  const { count } = source;
  if (count === 0) return;
  if (destination.type.type === lib.GGML_TYPE_F32) {
    toFloat(source.bytes, floatsOf(destination), count);
    return;
  }
  let floats: Float32Array;
  if (source.type.type === lib.GGML_TYPE_F32) floats = floatsOf(source);
  else toFloat(source.bytes, floats = new Float32Array(count), count);
  fromFloat(floats, destination.bytes, count / rowLength, rowLength, imatrix ?? null);
}

function floatsOf({ bytes, count }: Operand): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, count);
}

function expectSameShape(source: Operand, destination: Operand): void {
  const equal = source.shape === null || destination.shape === null
    ? source.count === destination.count
    : sameShape(source.shape, destination.shape);
  if (equal) return;
  throw new RangeError(
    `copy: the shapes of ${source.describe()} and ${destination.describe()} differ (ne is fastest first, an ndarray's shape fastest last)`,
  );
}

/** Dimensions of 1 in front say nothing: ggml doesn't keep them. */
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return String(withoutLeadingOnes(a)) === String(withoutLeadingOnes(b));
}

function withoutLeadingOnes(shape: readonly number[]): readonly number[] {
  const first = shape.findIndex((n) => n !== 1);
  return first < 0 ? [] : shape.slice(first);
}
