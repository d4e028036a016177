/**
 * `quantize` and `dequantize`: a quantized type's bytes without a tensor.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { expectOptions } from "../ffi/core/options.ts";
import type { lib } from "../ffi/generated/lib.js";
import { allocate } from "./copying/allocate.ts";
import { countOf, denseLayout } from "./copying/box.ts";
import { isNested, type NestedNumbers } from "./copying/nested.ts";
import type { Operand, TensorLike } from "./copying/operand.ts";
import { expectImatrix, planOf, sourceOf } from "./copying/plan.ts";
import { transfer } from "./copying/transfer.ts";
import { expectType, type TypeInfo } from "./copying/types.ts";
import { expectThere } from "./arrays/ndarray.ts";
import { plainArray } from "./arrays/plain.ts";

/** What {@linkcode quantize} takes besides the numbers and the type. */
export interface QuantizeOptions {
  /** The importance of each column of a row: as many floats as a row is long. Some types need it (`ggml_quantize_requires_imatrix`). */
  imatrix?: Float32Array;
  /** Numbers in a row, if the numbers have no shape; by default as many as there are in `imatrix`, and without it all. */
  rowLength?: number;
}

/**
 * Quantizes numbers: bit for bit what `ggml_quantize_chunk` gives for the whole.
 *
 * @param array A tensor, a typed array, an `ndarray` (row-major, with any strides), nested arrays or an iterable of numbers. A row's length must divide into
 * the type's blocks.
 * @param type The tensor type, quantized or not: `lib.GGML_TYPE_F16` gives halves.
 * @param options `imatrix`; `rowLength`.
 * @returns The bytes, row after row, as they are in a tensor or a GGUF file. `copy` takes them for a tensor of the type.
 * @throws {TypeError} If an argument is of the wrong kind, or ggml can't convert to the type.
 * @throws {RangeError} If a row doesn't divide into blocks, `imatrix` isn't as long as a row, or an integer of an array isn't a value of a type that
 * isn't quantized.
 * @throws {Error} If the type needs an importance matrix and there is none.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { dequantize, quantize } from "@ggml/deno/utils";
 *
 * const bytes = quantize(Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)), lib.GGML_TYPE_Q8_0);
 * console.log(bytes.length); // 68
 * console.log(dequantize(bytes, lib.GGML_TYPE_Q8_0)[1].toFixed(2)); // 0.84
 * ```
 */
export function quantize(
  array: TensorLike | NestedNumbers,
  type: lib.ggml_type,
  options: QuantizeOptions = {},
): Uint8Array<ArrayBuffer> {
  return quantizeFor("quantize", array, type, options);
}

/** {@linkcode quantize} for a function of another name, which its errors begin with. */
export function quantizeFor(
  where: string,
  array: TensorLike | NestedNumbers,
  type: lib.ggml_type,
  options: QuantizeOptions,
): Uint8Array<ArrayBuffer> {
  const info = expectType(where, type);
  const { imatrix, rowLength } = expectQuantizing(where, options);
  const source = numbersIn(where, array, info);
  const { blockSize, typeSize, name } = info;
  const shape = source.shape ?? rowsOf(where, source.count, rowLength ?? imatrix?.length ?? source.count);
  if ((shape.at(-1) ?? 1) % blockSize !== 0) {
    throw new RangeError(
      `${where}: a row of ${shape.at(-1) ?? 1} (${source.describe()}) is not a multiple of ${name}'s block of ${blockSize}`,
    );
  }
  const bytes = allocate(countOf(shape) / blockSize * typeSize, where);
  const destination = { ...source, type: info, shape, layout: denseLayout(shape, info), bytes, tensor: null, describe: () => name };
  transfer(planOf(where, source, destination, imatrix === undefined ? {} : { imatrix }));
  return bytes;
}

/**
 * The numbers to be quantized, as an operand.
 *
 * @param to The type that arrays of integers are for.
 */
export function numbersIn(where: string, array: TensorLike | NestedNumbers, to?: TypeInfo): Operand & { readonly type: TypeInfo } {
  const given = sourceOf(where, array, null, Infinity);
  const source = to === undefined || given.type === null || isNested(array) ? given : sourceOf(where, array, to, Infinity);
  const { type } = source;
  if (type === null) throw new TypeError(`${where}: ${source.describe()}: these are bytes, not numbers: give a Float32Array of them`);
  return { ...source, type };
}

function rowsOf(where: string, count: number, rowLength: number): number[] {
  if (count === rowLength) return [count];
  if (count % rowLength !== 0) throw new RangeError(`${where}: ${count} numbers don't divide into rows of ${rowLength}`);
  return [count / rowLength, rowLength];
}

/**
 * The numbers that a type's bytes stand for: `to_float` of `ggml_get_type_traits`.
 *
 * @param bytes Whole blocks of the type, as `quantize` gives them or a GGUF file holds them.
 * @param type The tensor type.
 * @returns The numbers.
 * @throws {TypeError} If an argument is of the wrong kind, or ggml can't convert from the type.
 * @throws {RangeError} If there is no whole number of blocks.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { dequantize } from "@ggml/deno/utils";
 *
 * console.log(dequantize(new Uint8Array([0x80, 0x3f]), lib.GGML_TYPE_BF16)); // Float32Array(1) [ 1 ]
 * ```
 */
export function dequantize(bytes: Uint8Array, type: lib.ggml_type): Float32Array<ArrayBuffer> {
  return dequantizeFor("dequantize", bytes, type);
}

/** {@linkcode dequantize} for a function of another name, which its errors begin with. */
export function dequantizeFor(where: string, given: Uint8Array, type: lib.ggml_type): Float32Array<ArrayBuffer> {
  const { toFloat, name, blockSize, typeSize } = expectType(where, type);
  if (!(given instanceof Uint8Array)) throw new TypeError(`${where}: expected a Uint8Array, got ${describe(given)}`);
  const bytes = plainArray(given);
  if (!(bytes.buffer instanceof ArrayBuffer)) throw new TypeError(`${where}: shared memory is not supported`);
  expectThere(bytes, () => where);
  if (toFloat === null) throw new TypeError(`${where}: ggml has no conversion from ${name} to f32`);
  if (bytes.length % typeSize !== 0) {
    throw new RangeError(`${where}: ${bytes.length} bytes are no multiple of ${typeSize}, a block of ${name}`);
  }
  const numbers = new Float32Array(allocate(bytes.length / typeSize * blockSize * 4, where).buffer);
  if (numbers.length > 0) toFloat(bytes as Uint8Array<ArrayBuffer>, new Uint8Array(numbers.buffer), numbers.length);
  return numbers;
}

/** Throws unless these are options of `quantize`. */
export function expectQuantizing(where: string, options: QuantizeOptions): QuantizeOptions {
  const { imatrix, rowLength } = expectOptions(where, options, ["imatrix", "rowLength"]);
  if (rowLength !== undefined && (!Number.isSafeInteger(rowLength) || rowLength < 1)) {
    throw new RangeError(`${where}: rowLength must be a positive whole number, got ${describe(rowLength)}`);
  }
  return { rowLength, imatrix: expectImatrix(where, imatrix) };
}
