/**
 * `print` and `formatTensor`: an array's numbers as text, as numpy prints them, all of them if nothing else is said.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { expectOptions } from "../ffi/core/options.ts";
import { type DimsOption, withDims } from "./copying/dims.ts";
import { formatArray } from "./printing/format_array.ts";
import type { TensorLike } from "./copying/operand.ts";

/** What {@linkcode print} and {@linkcode formatTensor} take besides the array. They are `numpy.array2string`'s. */
export interface PrintOptions extends DimsOption {
  /** The number of elements above which "..." stands for those in the middle; by default there is none. numpy's own default is 1000. */
  threshold?: number;
  /** How many elements at each end of a dimension are shown where "..." stands for the others; by default 3. */
  edgeItems?: number;
  /** How many digits after the point there are at most; by default 8, and there are no more than tell a number from its neighbours. */
  precision?: number;
  /** How many characters a line has at most, if that can be; by default 75. */
  lineWidth?: number;
}

/**
 * Prints all numbers of a tensor or array to the console, as `formatTensor` writes them.
 *
 * `console.log` of a tensor shows what it is and the first and last numbers. This shows the numbers, however many.
 *
 * @param array A tensor of any type and layout, in any backend's memory, a part of one (`slice`), an `ndarray`, or a typed array.
 * @param options `threshold`, `edgeItems`, `precision`, `lineWidth` and `dims`.
 * @throws {TypeError} If it is nothing of these, or ggml can't convert its type.
 * @throws {RangeError} If an option is out of range, or more than 2^24 numbers were to be shown.
 * @throws {Error} If a tensor has no memory or was freed.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { init, print } from "@ggml/deno/utils";
 *
 * using ctx = init({ memSize: 1024 * 1024 });
 * print(lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F16, 3, 2), 0.1));
 * // [[0.1 0.1 0.1]
 * //  [0.1 0.1 0.1]]
 * ```
 */
export function print(array: TensorLike, options: PrintOptions = {}): void {
  console.log(text(array, options, "print"));
}

/**
 * The numbers of a tensor or array as text, as `numpy.array2string` writes them: rows of the fastest dimension, all numbers equally wide.
 *
 * Quantized types and BF16 are shown as the 32-bit floats that they stand for. Shapes are row-major: the last dimension is `ne[0]`.
 *
 * @param array A tensor of any type and layout, in any backend's memory, a part of one (`slice`), an `ndarray`, or a typed array.
 * @param options `threshold`, `edgeItems`, `precision`, `lineWidth` and `dims`.
 * @returns The text, without a line break at its end.
 * @throws {TypeError} If it is nothing of these, or ggml can't convert its type.
 * @throws {RangeError} If an option is out of range, or more than 2^24 numbers were to be shown.
 * @throws {Error} If a tensor has no memory or was freed.
 *
 * @example
 * ```ts
 * import { formatTensor, ndarray } from "@ggml/deno/utils";
 *
 * const a = ndarray(new Float32Array([0.1, 1, NaN, -2.5]), [2, 2]);
 * console.log(formatTensor(a) === "[[ 0.1  1. ]\n [ nan -2.5]]"); // true
 * ```
 */
export function formatTensor(array: TensorLike, options: PrintOptions = {}): string {
  return text(array, options, "formatTensor");
}

function text(array: TensorLike, options: PrintOptions, name: string): string {
  const known = ["threshold", "edgeItems", "precision", "lineWidth", "dims"];
  const { threshold = Infinity, edgeItems = 3, precision = 8, lineWidth = 75, dims } = expectOptions(name, options, known);
  expectCount(threshold, `${name}: threshold`, 0, Infinity);
  expectCount(edgeItems, `${name}: edgeItems`, 1, Infinity);
  expectCount(precision, `${name}: precision`, 0, 17);
  expectCount(lineWidth, `${name}: lineWidth`, 1, Infinity);
  return formatArray(withDims(array, dims, name), name, { threshold, edgeItems, precision, lineWidth });
}

function expectCount(value: unknown, what: string, least: number, most: number): void {
  if (typeof value !== "number") throw new TypeError(`${what} must be a number, got ${describe(value)}`);
  if (value >= least && value <= most && (Number.isInteger(value) || value === Infinity)) return;
  throw new RangeError(`${what} must be a whole number from ${least}${most === Infinity ? "" : ` to ${most}`}, got ${value}`);
}
