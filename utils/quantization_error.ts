/**
 * `quantizationError`: what a quantized type costs and what it saves, for choosing one.
 *
 * @module
 */

import type { lib } from "../ffi/generated/lib.js";
import { allocate } from "./copying/allocate.ts";
import type { NestedNumbers } from "./copying/nested.ts";
import { operand, type TensorLike } from "./copying/operand.ts";
import { planOf } from "./copying/plan.ts";
import { transfer } from "./copying/transfer.ts";
import { expectType, type TypeInfo } from "./copying/types.ts";
import { dequantizeFor, expectQuantizing, numbersIn, quantizeFor, type QuantizeOptions } from "./quantize.ts";

/** What {@linkcode quantizationError} finds. */
export interface QuantizationError {
  /** The root of the mean of the squared differences. */
  readonly rmse: number;
  /** The largest absolute difference. */
  readonly max: number;
  /** Bits that a number takes. */
  readonly bitsPerWeight: number;
}

/** About how many numbers are looked at at once: their bytes and floats stay in the processor's cache. */
const PIECE = 65536;
/** What errors begin with. */
const NAME = "quantizationError";

/**
 * How far numbers are off after they were quantized and dequantized.
 *
 * @param array What `quantize` takes.
 * @param type The tensor type.
 * @param options `imatrix` and `rowLength`, as for `quantize`.
 * @returns `rmse` and `max`, in the numbers' own unit, and `bitsPerWeight`. Of no numbers both errors are 0.
 * @throws What `quantize` and `dequantize` throw.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { quantizationError } from "@ggml/deno/utils";
 *
 * const { rmse, bitsPerWeight } = quantizationError(Float32Array.from({ length: 256 }, (_, i) => Math.sin(i)), lib.GGML_TYPE_Q4_K);
 * console.log(bitsPerWeight, rmse < 0.05); // 4.5 true
 * ```
 */
export function quantizationError(
  array: TensorLike | NestedNumbers,
  type: lib.ggml_type,
  options: QuantizeOptions = {},
): QuantizationError {
  const info = expectType(NAME, type);
  const { numbers, rowLength } = floatsOf(array, expectQuantizing(NAME, options), info);
  if (numbers.length === 0) return { rmse: 0, max: 0, bitsPerWeight: 0 };
  const step = Math.max(1, Math.floor(PIECE / rowLength)) * rowLength;
  let squares = 0, max = 0, bytes = 0;
  for (let begin = 0; begin < numbers.length; begin += step) {
    const piece = numbers.subarray(begin, begin + step);
    const quantized = quantizeFor(NAME, piece, type, { ...options, rowLength });
    bytes += quantized.length;
    dequantizeFor(NAME, quantized, type).forEach((number, i) => {
      const difference = number - piece[i];
      squares += difference * difference;
      max = Math.max(max, Math.abs(difference)); // NaN stays
    });
  }
  return { rmse: Math.sqrt(squares / numbers.length), max, bitsPerWeight: bytes * 8 / numbers.length };
}

/**
 * The numbers as floats one after the other, and how long a row is.
 *
 * @param to The type that arrays of integers are for.
 */
function floatsOf(
  array: TensorLike | NestedNumbers,
  { rowLength, imatrix }: QuantizeOptions,
  to: TypeInfo,
): { numbers: Float32Array; rowLength: number } {
  const source = numbersIn(NAME, array, to);
  const length = source.shape?.at(-1) ?? rowLength ?? imatrix?.length ?? source.count;
  if (array instanceof Float32Array) return { numbers: array, rowLength: length };
  const numbers = new Float32Array(allocate(source.count * 4, NAME).buffer);
  transfer(planOf(NAME, source, operand(numbers, NAME), {}));
  return { numbers, rowLength: length };
}
