/**
 * Values of GGUF metadata: the twelve types that they may have, and what stands for each in JavaScript.
 *
 * These are GGUF's types of metadata. Tensors have ggml's, which `typeInfo` knows.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";

/** What a value of each GGUF type is in JavaScript. A 64-bit integer is a bigint where a number would lose bits. */
export interface GgufScalars {
  /** `UINT8`, 0 to 255. */
  u8: number;
  /** `INT8`, -128 to 127. */
  i8: number;
  /** `UINT16`. */
  u16: number;
  /** `INT16`. */
  i16: number;
  /** `UINT32`. */
  u32: number;
  /** `INT32`. */
  i32: number;
  /** `UINT64`. */
  u64: number | bigint;
  /** `INT64`. */
  i64: number | bigint;
  /** `FLOAT32`. */
  f32: number;
  /** `FLOAT64`. */
  f64: number;
  /** `BOOL`, one byte in the file. */
  bool: boolean;
  /** `STRING`, UTF-8 in the file. */
  str: string;
}

/** What an array of each GGUF type is in JavaScript. */
export interface GgufArrays {
  /** Of `UINT8`. */
  u8: Uint8Array<ArrayBuffer>;
  /** Of `INT8`. */
  i8: Int8Array<ArrayBuffer>;
  /** Of `UINT16`. */
  u16: Uint16Array<ArrayBuffer>;
  /** Of `INT16`. */
  i16: Int16Array<ArrayBuffer>;
  /** Of `UINT32`. */
  u32: Uint32Array<ArrayBuffer>;
  /** Of `INT32`. */
  i32: Int32Array<ArrayBuffer>;
  /** Of `UINT64`. */
  u64: BigUint64Array<ArrayBuffer>;
  /** Of `INT64`. */
  i64: BigInt64Array<ArrayBuffer>;
  /** Of `FLOAT32`. */
  f32: Float32Array<ArrayBuffer>;
  /** Of `FLOAT64`. */
  f64: Float64Array<ArrayBuffer>;
  /** Of `BOOL`. */
  bool: boolean[];
  /** Of `STRING`. */
  str: string[];
}

/** The name of a GGUF type, as `gguf_type_name` gives it. */
export type GgufTypeName = keyof GgufScalars;

/**
 * A value of GGUF metadata with the type that the file declares: `{ type: "u32", value: 32 }`, `{ type: "str[]", value: ["a", "b"] }`.
 *
 * Bytes of a string that are no UTF-8 are lone surrogates in it, U+DC80 to U+DCFF, as in Python's `surrogateescape`: `isWellFormed()` says
 * whether there are any, and they are written back as the bytes they were.
 */
export type GgufValue = {
  [T in GgufTypeName]:
    | { readonly type: T; readonly value: GgufScalars[T] }
    | { readonly type: `${T}[]`; readonly value: GgufArrays[T] };
}[GgufTypeName];

/** An array that holds a type's values as the file does: little-endian, as is every machine that Deno runs on. */
export type NumberArray = GgufArrays[Exclude<GgufTypeName, "bool" | "str">];

/** A GGUF type. */
export interface Kind {
  readonly name: GgufTypeName;
  /** Its number in the file. */
  readonly id: lib.gguf_type;
  /** The least bytes that a value takes. A string has its length in front. */
  readonly size: number;
  /** Null for booleans and strings. */
  readonly array: (new (source: number | ArrayBuffer) => NumberArray) | null;
}

/** Every type, by its number. */
export const KINDS: readonly Kind[] = [
  { name: "u8", id: lib.GGUF_TYPE_UINT8, size: 1, array: Uint8Array },
  { name: "i8", id: lib.GGUF_TYPE_INT8, size: 1, array: Int8Array },
  { name: "u16", id: lib.GGUF_TYPE_UINT16, size: 2, array: Uint16Array },
  { name: "i16", id: lib.GGUF_TYPE_INT16, size: 2, array: Int16Array },
  { name: "u32", id: lib.GGUF_TYPE_UINT32, size: 4, array: Uint32Array },
  { name: "i32", id: lib.GGUF_TYPE_INT32, size: 4, array: Int32Array },
  { name: "f32", id: lib.GGUF_TYPE_FLOAT32, size: 4, array: Float32Array },
  { name: "bool", id: lib.GGUF_TYPE_BOOL, size: 1, array: null },
  { name: "str", id: lib.GGUF_TYPE_STRING, size: 8, array: null },
  { name: "u64", id: lib.GGUF_TYPE_UINT64, size: 8, array: BigUint64Array },
  { name: "i64", id: lib.GGUF_TYPE_INT64, size: 8, array: BigInt64Array },
  { name: "f64", id: lib.GGUF_TYPE_FLOAT64, size: 8, array: Float64Array },
];

const BY_ID: ReadonlyMap<number, Kind> = new Map(KINDS.map((kind) => [kind.id, kind]));
const BY_NAME: ReadonlyMap<string, Kind> = new Map(KINDS.map((kind) => [kind.name, kind]));

/** The type of that number; undefined for an array's, which is no type of its own, and for those that there are not. */
export function kindOf(id: number): Kind | undefined {
  return BY_ID.get(id);
}

/** The type of that name. */
export function kindNamed(name: string): Kind | undefined {
  return BY_NAME.get(name);
}

/** A 64-bit integer as a number, if that is exact. */
export function narrow(value: bigint): number | bigint {
  return BigInt.asIntN(54, value) === value && value !== -(2n ** 53n) ? Number(value) : value;
}

/** Bytes that each value of a file's strings and arrays may have at most: ggml reads no longer ones. */
export const MAX_LENGTH = 1024 * 1024 * 1024;

/**
 * The key that says what a file's tensors are aligned to, among its keys.
 *
 * C compares up to a NUL, which a key in a file may have.
 */
export function isAlignmentKey(key: string): boolean {
  return key === lib.GGUF_KEY_GENERAL_ALIGNMENT || key.startsWith(`${lib.GGUF_KEY_GENERAL_ALIGNMENT}\0`);
}
