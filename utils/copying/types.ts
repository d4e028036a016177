/**
 * Tensor types: what the loaded library's traits say of each, its fastest exact routines, and which typed array holds its elements.
 *
 * Types are never listed but for the plain numbers that JavaScript has arrays for: a type that a later library adds works by its traits.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";
import { lib } from "../../ffi/generated/lib.js";
import { library } from "../../ffi/load/library.ts";
import { callNow } from "../../ffi/calls/call_now.ts";
import { expectQuantizable, isGridType } from "../../ffi/calls/quantizable.ts";
import { caught, trapped } from "../../ffi/native/trap.ts";
import type { TypedArray } from "../arrays/ndarray.ts";

export interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): TypedArray;
}

/** Memory that JavaScript can read and write. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Converts elements that lie one after the other to 32-bit floats. */
export interface ToFloat {
  (from: Bytes, to: Bytes, count: number): void;
  /** The C routine, `void (const void * from, float * to, int64_t count)`; null where JavaScript's own arrays convert. */
  readonly address: bigint | null;
}

/** Converts rows of 32-bit floats to a type. */
export interface FromFloat {
  (from: Bytes, to: Bytes, rows: number, rowLength: number, imatrix: Float32Array | null, where: string): void;
  /** The C routine, `void (const float * from, void * to, int64_t count)`; null where there is none. */
  readonly address: bigint | null;
  /** True if `ggml_quantize_chunk` does it. */
  readonly isChunk: boolean;
}

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
  /** Null if ggml can't. */
  readonly toFloat: ToFloat | null;
  /** Null if ggml can't. */
  readonly fromFloat: FromFloat | null;
  /** True if ggml may need to be told which columns matter, to quantize to it: `ggml_quantize_requires_imatrix` says so for sure. */
  readonly mayNeedImatrix: boolean;
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

/**
 * What the loaded library knows of the type that a caller names.
 *
 * @param where What asks, for errors.
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If there is no such type.
 */
export function expectType(where: string, type: unknown): TypeInfo {
  if (typeof type !== "number") throw new TypeError(`${where}: expected a tensor type such as lib.GGML_TYPE_Q4_K, got ${describe(type)}`);
  try {
    return typeInfo(type);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // there is no library
    throw new RangeError(`${where}: ${error.message}`, { cause: error });
  }
}

/** The tensor type whose elements a typed array holds; null if there is none. A Uint16Array is BF16's bits, or else integers, which no type has. */
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

type Conversions = Pick<TypeInfo, "toFloat" | "fromFloat">;

/** The conversions to and from 32-bit floats. Types that stand for real numbers have one or both; of the integers only I32 has. */
function conversions(type: lib.ggml_type, { to_float, from_float_ref }: lib.ggml_type_traits): Conversions {
  const faster = (to: string, from: string): Conversions => {
    const read = routine(to) ?? pointed(to_float!), written = routine(from);
    return { toFloat: toFloat(read), fromFloat: written === null ? chunk(type) : fromFloat(written) };
  };
  switch (type) {
    case lib.GGML_TYPE_F32:
      return arrayConversions(Float32Array);
    case lib.GGML_TYPE_F64:
      return arrayConversions(Float64Array);
    case lib.GGML_TYPE_I32: {
      const written = routine("ggml_cpu_fp32_to_i32");
      return { toFloat: arrayConversions(Int32Array).toFloat, fromFloat: written === null ? null : fromFloat(written) };
    }
    case lib.GGML_TYPE_F16:
      return faster("ggml_cpu_fp16_to_fp32", "ggml_cpu_fp32_to_fp16");
    case lib.GGML_TYPE_BF16:
      return faster("ggml_cpu_bf16_to_fp32", "ggml_cpu_fp32_to_bf16");
  }
  // ggml_quantize_chunk knows every type that converts both ways. Of the others it aborts.
  if (to_float !== null) return { toFloat: toFloat(pointed(to_float)), fromFloat: chunk(type) };
  return { toFloat: null, fromFloat: from_float_ref === null ? null : fromFloat(pointed(from_float_ref)) };
}

const ROUTINE = { parameters: ["buffer", "buffer", "i64"], result: "void" } as const;
type Convert = (from: Bytes, to: Bytes, count: bigint) => void;

/** A routine of C's that converts so many numbers. */
interface Routine {
  readonly call: Convert;
  readonly address: bigint;
}

/**
 * A routine of the CPU's library. Those for F16 and BF16 are 6 to 11 times faster than the base library's and give the same bits, but for the
 * payload of a NaN in F32 → F16, which the processor keeps and the base library drops.
 */
function routine(name: string): Routine | null {
  const call = library().find(name, ROUTINE) as Convert | undefined;
  if (call === undefined) return null;
  lib.ggml_cpu_init(); // makes the table in which the routines look up what doesn't fill a vector
  return { call: throwing(call), address: library().address(name)! };
}

/** A routine whose failure is an Error. */
function throwing(call: Convert): Convert {
  return (from, to, count) => {
    call(from, to, count);
    if (caught[0] !== 0) trapped("copy");
  };
}

/** A routine that the traits point to. */
function pointed({ address }: { address: bigint }): Routine {
  const pointer = new Deno.UnsafeFnPointer(Deno.UnsafePointer.create(address)!, ROUTINE);
  return { call: throwing(pointer.call.bind(pointer)), address };
}

function toFloat({ call, address }: Routine): ToFloat {
  return Object.assign((from: Bytes, to: Bytes, count: number) => call(from, to, BigInt(count)), { address });
}

function fromFloat({ call, address }: Routine): FromFloat {
  const convert = (from: Bytes, to: Bytes, rows: number, rowLength: number) => call(from, to, BigInt(rows * rowLength));
  return Object.assign(convert, { address, isChunk: false });
}

const CHUNK = ["u32", "buffer", "buffer", "i64", "i64", "i64", "buffer"] as const;

/** `ggml_quantize_chunk`, whose conditions were checked before. */
function chunk(type: lib.ggml_type): FromFloat {
  const convert: (...args: Parameters<FromFloat>) => void = (from, to, rows, rowLength, imatrix, where) => {
    expectFloats(type, from, rows * rowLength, imatrix, where);
    callNow("ggml_quantize_chunk", CHUNK, "u64", type, from, to, 0n, BigInt(rows), BigInt(rowLength), imatrix);
    if (caught[0] !== 0) trapped(where);
  };
  return Object.assign(convert, { address: null, isChunk: true });
}

/** Throws where `ggml_quantize_chunk` would abort. */
export function expectFloats(type: lib.ggml_type, from: Bytes, count: number, imatrix: Float32Array | null, where: string): void {
  const { name } = typeInfo(type);
  if (isGridType(name)) expectQuantizable(name, floatsIn(from, count), imatrix, where);
}

/** Floats that may begin anywhere. */
function floatsIn(bytes: Bytes, count: number): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Float32Array(aligned.buffer, aligned.byteOffset, count);
}

type NumberArray = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
interface NumberArrayConstructor extends TypedArrayConstructor {
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): NumberArray;
}

/** Conversions that JavaScript's own arrays do. */
function arrayConversions(array: NumberArrayConstructor): { toFloat: ToFloat; fromFloat: FromFloat } {
  const toFloat = (from: Bytes, to: Bytes, count: number) => convertArray(array, from, Float32Array, to, count);
  const fromFloat = (from: Bytes, to: Bytes, rows: number, length: number) => convertArray(Float32Array, from, array, to, rows * length);
  return { toFloat: Object.assign(toFloat, { address: null }), fromFloat: Object.assign(fromFloat, { address: null, isChunk: false }) };
}

/** Typed arrays begin at multiples of their elements; tensors need not. */
function convertArray(read: NumberArrayConstructor, from: Bytes, write: NumberArrayConstructor, to: Bytes, count: number): void {
  const aligned = from.byteOffset % read.BYTES_PER_ELEMENT === 0 ? from : from.slice();
  const source = new read(aligned.buffer, aligned.byteOffset, count);
  if (to.byteOffset % write.BYTES_PER_ELEMENT === 0) return new write(to.buffer, to.byteOffset, count).set(source);
  const result = new write(new ArrayBuffer(count * write.BYTES_PER_ELEMENT), 0, count);
  result.set(source);
  to.set(new Uint8Array(result.buffer));
}
