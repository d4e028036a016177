/**
 * Arrays of integers for tensors of another type: each value arrives as it is, or is an error.
 *
 * ggml converts none but 32-bit ones to floats, and rounds these. Here nothing is rounded but what is quantized, wrapped or cut off.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { type Elements, expectInside, expectThere, isNdArray, ndarray, type TypedArray } from "../arrays/ndarray.ts";
import { plainArray, plainElements } from "../arrays/plain.ts";
import { countOf } from "./box.ts";
import { areFloats, inexact, isExact } from "./exact.ts";
import { arrayFor } from "./nested.ts";
import type { TensorLike } from "./operand.ts";
import { type TypeInfo, typeOfArray } from "./types.ts";

const INTEGERS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
];

/** The arrays of the types that have integers only. */
const OF_INTEGERS: ReadonlySet<unknown> = new Set([Int8Array, Int16Array, Int32Array, BigInt64Array]);

/**
 * What is to be copied, in an array of the type that it is copied to; itself if that isn't needed, or it is no array of integers.
 *
 * @param type The destination's.
 * @throws {RangeError} If an integer isn't a value of that type: the first that isn't.
 */
export function integersFor(from: TensorLike, type: TypeInfo, role: string): TensorLike {
  const array = isNdArray(from) ? plainElements(from) : null, data = array?.data ?? from as TypedArray;
  if (!INTEGERS.some((kind) => data instanceof kind)) return from;
  if (isAsItIs(data, array, type)) return from;
  expectThere(data, () => role);
  if (array === null) {
    const plain = plainArray(data);
    return converted(plain, { shape: [plain.length], stride: [1], offset: 0 }, type, role);
  }
  expectInside(array, () => role);
  return ndarray(converted(data, array, type, role), array.shape);
}

function isAsItIs(data: TypedArray, array: Elements | null, { type, isQuantized, array: ownArray }: TypeInfo): boolean {
  const own = typeOfArray(data);
  if (own !== null && own === type) return true;
  // Perhaps BF16's bits: a plan refuses them.
  if (data instanceof Uint16Array) return !OF_INTEGERS.has(ownArray);
  // These ggml converts itself, so they needn't be converted before if each is a float.
  if (data instanceof Int32Array && type === lib.GGML_TYPE_F32) {
    return (array === null || countOf(array.shape) === data.length) && areFloats(data);
  }
  return array === null && data instanceof Uint8Array && isQuantized; // a quantized tensor's bytes
}

/** The elements in row-major order. */
function converted(
  data: TypedArray,
  { shape, stride, offset }: Omit<Elements, "data">,
  type: TypeInfo,
  role: string,
): TypedArray {
  const target = arrayFor(type, countOf(shape)), isBig = target instanceof BigInt64Array;
  const last = shape.length - 1, run = shape[last] ?? 1, step = stride[last] ?? 0;
  let i = 0;
  /** The elements from an index on, a run of the last dimension at a time. */
  const visit = (axis: number, from: number): void => {
    if (axis < last) {
      for (let n = 0; n < shape[axis]; n++) visit(axis + 1, from + n * stride[axis]);
      return;
    }
    for (let at = from, end = i + run; i < end; at += step, i++) {
      const value = data[at];
      target[i] = (isBig ? BigInt(value) : Number(value)) as never;
      if (!isExact(value, target[i], type)) throw inexact(role, value, i, shape, type);
    }
  };
  visit(0, offset);
  return target;
}
