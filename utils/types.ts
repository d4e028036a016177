/**
 * Tensor types: what the loaded library's traits say of each, and which typed array holds its elements.
 *
 * Types are never listed but for the plain numbers that JavaScript has arrays for: a type that a later library adds works by its traits.
 *
 * @module
 */

import { lib } from "../ffi/lib.js";
import type { TypedArray } from "./ndarray.ts";

/** A constructor of typed arrays. */
export type TypedArrayConstructor = new (buffer: ArrayBuffer, byteOffset?: number, length?: number) => TypedArray;

type Bytes = Uint8Array<ArrayBuffer>;

/** What is known of a tensor type. */
export interface TypeInfo {
  readonly type: lib.ggml_type;
  /** ggml's name: `q5_K`. */
  readonly name: string;
  /** Elements in a block; 1 for what isn't quantized. */
  readonly blockSize: number;
  /** Bytes in a block. */
  readonly typeSize: number;
  readonly isQuantized: boolean;
  /** The typed array that holds it, null for quantized types. For BF16, which JavaScript hasn't got, its bits. */
  readonly array: TypedArrayConstructor | null;
  /** Converts elements to floats; null if ggml can't. */
  readonly toFloat: ((from: Bytes, to: Float32Array, count: number) => void) | null;
  /** True if ggml may need to be told which columns matter, to quantize to it: `ggml_quantize_requires_imatrix` says so for sure. */
  readonly mayNeedImatrix: boolean;
  /** Converts rows of floats to the type; null if ggml can't. */
  readonly fromFloat: ((from: Float32Array, to: Bytes, rows: number, rowLength: number, imatrix: Float32Array | null) => void) | null;
}

const ARRAYS: ReadonlyMap<lib.ggml_type, TypedArrayConstructor> = new Map<lib.ggml_type, TypedArrayConstructor>([
  [lib.GGML_TYPE_F32, Float32Array],
  [lib.GGML_TYPE_F16, Float16Array],
  [lib.GGML_TYPE_BF16, Uint16Array],
  [lib.GGML_TYPE_F64, Float64Array],
  [lib.GGML_TYPE_I8, Int8Array],
  [lib.GGML_TYPE_I16, Int16Array],
  [lib.GGML_TYPE_I32, Int32Array],
  [lib.GGML_TYPE_I64, BigInt64Array],
]);

const known = new Map<number, TypeInfo>();

/**
 * What the loaded library knows of a type, from `ggml_get_type_traits`.
 *
 * @throws {RangeError} If there is no such type.
 */
export function typeInfo(type: number): TypeInfo {
  let info = known.get(type);
  if (info === undefined) known.set(type, info = readTraits(type));
  return info;
}

/** The tensor type whose elements a typed array holds; null if there is none. A Uint16Array is BF16's bits. */
export function typeOfArray(array: TypedArray): lib.ggml_type | null {
  for (const [type, constructor] of ARRAYS) if (array instanceof constructor) return type;
  return null;
}

function readTraits(number: number): TypeInfo {
  if (!Number.isInteger(number) || number < 0 || number >= lib.GGML_TYPE_COUNT) throw new RangeError(`there is no tensor type ${number}`);
  const type = number as lib.ggml_type;
  const traits = lib.ggml_get_type_traits(type);
  const { blck_size: blockSize, type_size: typeSize, is_quantized: isQuantized } = traits;
  const name = traits.type_name ?? String(type);
  if (blockSize === 0 || typeSize === 0) throw new RangeError(`tensor type ${number} was removed from ggml (${name})`);
  // A type with a routine that takes nothing but floats needs nothing else.
  const mayNeedImatrix = isQuantized && traits.from_float_ref === null;
  return { type, name, blockSize, typeSize, isQuantized, mayNeedImatrix, array: ARRAYS.get(type) ?? null, ...conversions(type, traits) };
}

/** The conversions to and from 32-bit floats. Types that stand for real numbers have one or both, integers have none. */
function conversions(type: lib.ggml_type, { to_float, from_float_ref }: lib.ggml_type_traits): Pick<TypeInfo, "toFloat" | "fromFloat"> {
  if (type === lib.GGML_TYPE_F32) return arrayConversions(Float32Array);
  if (type === lib.GGML_TYPE_F64) return arrayConversions(Float64Array);
  if (to_float !== null) {
    return {
      toFloat: (from, to, count) => to_float.call(from, to, count),
      // It knows every type that converts both ways. Of the others it aborts.
      fromFloat: (from, to, rows, rowLength, imatrix) => void lib.ggml_quantize_chunk(type, from, to, 0, rows, rowLength, imatrix),
    };
  }
  if (from_float_ref === null) return { toFloat: null, fromFloat: null };
  return { toFloat: null, fromFloat: (from, to, rows, rowLength) => from_float_ref.call(from, to, rows * rowLength) };
}

/** Conversions that JavaScript's own arrays do. */
function arrayConversions(array: Float32ArrayConstructor | Float64ArrayConstructor): Pick<TypeInfo, "toFloat" | "fromFloat"> {
  return {
    toFloat: (from, to, count) => to.set(new array(from.buffer, from.byteOffset, count)),
    fromFloat: (from, to) => new array(to.buffer, to.byteOffset, from.length).set(from),
  };
}
