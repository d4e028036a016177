/**
 * `copy`: numbers into tensors, out of tensors and between them, with (de)quantization on the way.
 *
 * @module
 */

import type { NestedNumbers } from "./copying/nested.ts";
import type { TensorLike } from "./copying/operand.ts";
import { expectCopying, plan } from "./copying/plan.ts";
import { quickCopy } from "./copying/quick.ts";
import { transfer } from "./copying/transfer.ts";

/** What {@linkcode copy} takes besides its two sides. */
export interface CopyOptions {
  /** False to refuse to copy between two different quantized types, which loses precision twice. By default true. */
  allowRequantize?: boolean;
  /** The importance of each column of a row, for quantizing: as many floats as a row is long. Some types need it (`ggml_quantize_requires_imatrix`). */
  imatrix?: Float32Array;
}

const NONE: CopyOptions = {};

/**
 * Copies numbers from one place to another and converts them as the types demand.
 *
 * Types that stand for real numbers (F32, F16, BF16, F64 and every quantized one) convert to each other, by ggml's own routines
 * (`to_float` of `ggml_get_type_traits`, `ggml_cpu_fp32_to_fp16` and its like, `ggml_quantize_chunk`). I32 converts to and from F32, towards zero.
 * An array of integers goes into a tensor of any type that has each of its values: 16777217 is no value of F32, 2049 none of F16, 257 none of
 * BF16, 128 none of I8. Nothing is rounded, but what is quantized. The same goes for bigints in nested arrays; numbers there are real ones. Integer
 * tensors are else copied as they are, between equal types.
 *
 * Either side may be strided: transposed, permuted, broadcast, padded, a slice. A tensor in a device's memory is read and written through its
 * backend (`ggml_backend_tensor_get`, `ggml_backend_tensor_set`), 16 MiB at a time. If the sides overlap, it is as if through a copy of the source.
 *
 * @param from A tensor, a `slice` of one, an `ndarray`, a typed array, nested arrays of numbers or any iterable of numbers. A typed array has no
 * shape: it fits every tensor of as many elements, in ggml's order. A Uint8Array fits a quantized tensor as its bytes, and a
 * Uint16Array a BF16 tensor as its bits; into tensors of integers it goes as integers, and into others not at all: it might be either.
 * @param to Where they go: a tensor, a slice, an `ndarray` or a typed array. The shapes must be equal: an `ndarray`'s shape is a tensor's `ne`
 * reversed.
 * @param options `imatrix`, how much each column matters where numbers are quantized; `allowRequantize`, false to refuse between two quantized types.
 * @throws {TypeError} If a side is nothing of these, an option is of the wrong type, or the types don't convert to each other.
 * @throws {RangeError} If the shapes differ, an integer isn't a value of the destination's type (the first is named), or `imatrix` isn't as long as a row.
 * @throws {Error} If a tensor has no memory or was freed, if an importance matrix is needed, or if requantizing isn't allowed.
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
export function copy(from: TensorLike | NestedNumbers, to: TensorLike, options: CopyOptions = NONE): void {
  const given = options === NONE ? NONE : expectCopying("copy", options);
  if (quickCopy(from, to)) return;
  transfer(plan("copy", from, to, given));
}
