/**
 * Slots: how one value crosses between TypeScript and C in a call through a function pointer, either way.
 *
 * The generated functions have their conversions written out, because they must be fast. Function pointers are rare and slow already, so
 * their types are tables of these.
 *
 * @module
 */

import * as argument from "./arguments.ts";
import { encode, readCString } from "./cstring.ts";
import { describe } from "./describe.ts";
import type { Domain } from "./domain.ts";
import type { Handle } from "./handle.ts";
import { host } from "./host.ts";
import { fromInt64, fromUint64 } from "./integers.ts";
import { Owner, STATIC } from "./owner.ts";
import { Pointer } from "./pointer.ts";
import { borrowed } from "./roots.ts";
import type { Struct } from "./struct.ts";

/** One parameter or result. */
export interface Slot {
  /** What Deno calls its type. */
  readonly native: Deno.NativeType | "void";
  // deno-lint-ignore no-explicit-any
  toC(value: any, where: string, slot: number): unknown;
  // deno-lint-ignore no-explicit-any
  fromC(value: any): unknown;
  /** Zero, false, null: what C gets from a callback that has no result to give. */
  readonly zero: unknown;
  /** Of pointers: the memory that a callback's result points to, which must live on when the callback has returned. */
  // deno-lint-ignore no-explicit-any
  keepResult?(value: any, where: string): unknown;
}

const same = (value: unknown): unknown => value;

const EMPTY = new Uint8Array(1);

/** No result. */
export const VOID: Slot = { native: "void" as Deno.NativeType, toC: () => undefined, fromC: () => undefined, zero: undefined };
/** `bool`. */
export const BOOL: Slot = { native: "bool", toC: argument.bool, fromC: same, zero: false };
/** `int8_t`. */
export const INT8: Slot = { native: "i8", toC: (value, where) => argument.small(value, 8, where), fromC: same, zero: 0 };
/** `uint8_t`. */
export const UINT8: Slot = { native: "u8", toC: (value, where) => argument.smallUnsigned(value, 8, where), fromC: same, zero: 0 };
/** `int16_t`. */
export const INT16: Slot = { native: "i16", toC: (value, where) => argument.small(value, 16, where), fromC: same, zero: 0 };
/** `uint16_t`. */
export const UINT16: Slot = { native: "u16", toC: (value, where) => argument.smallUnsigned(value, 16, where), fromC: same, zero: 0 };
/** `int32_t`. */
export const INT32: Slot = { native: "i32", toC: argument.int32, fromC: same, zero: 0 };
/** `uint32_t`. */
export const UINT32: Slot = { native: "u32", toC: argument.uint32, fromC: same, zero: 0 };
/** `int64_t`. */
export const INT64: Slot = { native: "i64", toC: argument.int64, fromC: fromInt64, zero: 0n };
/** `uint64_t`. */
export const UINT64: Slot = { native: "u64", toC: argument.uint64, fromC: fromUint64, zero: 0n };
/** `float`. */
export const FLOAT: Slot = { native: "f32", toC: argument.float, fromC: same, zero: 0 };
/** `double`. */
export const DOUBLE: Slot = { native: "f64", toC: argument.float, fromC: same, zero: 0 };
/** `const char *`. */
export const STRING: Slot = {
  native: "pointer",
  toC: (value, where, slot) => value === null ? null : Deno.UnsafePointer.of(argument.string(value, slot, where)),
  fromC: readCString,
  get zero() { // C code that prints a name doesn't expect null
    return Deno.UnsafePointer.of(EMPTY);
  },
  keepResult(value, where) {
    if (typeof value !== "string") throw new TypeError(`${where}: expected a string or null, got ${describe(value)}`);
    return encode(value, where);
  },
};
/** `void *` and pointers to numbers. */
export const POINTER: Slot = {
  native: "pointer",
  toC(value, where) {
    if (value === null || value === undefined) return null;
    const data = argument.data(value, 0, where);
    return Deno.UnsafePointer.of(data);
  },
  fromC: (value: Deno.PointerValue) => Pointer.from(value),
  zero: null,
  keepResult: (value, where) => argument.data(value, 0, where),
};

/** An enum of 32 bits. What C passes is not checked. */
export function enumSlot(domain: Domain, signed: boolean): Slot {
  return { native: signed ? "i32" : "u32", toC: (value, where) => argument.enumerator(value, domain, where), fromC: same, zero: 0 };
}

/** A pointer to a struct. */
export function handleSlot(wrapper: new (address: bigint, owner: Owner) => Handle): Slot {
  // What C frees by a function of its own, and only lends to a callback, is not the callback's to free. What lies in an object ends with it.
  const fallback = (address: bigint) =>
    Symbol.dispose in wrapper.prototype ? new Owner(0n) : host.ownerAround(wrapper.name, address) ?? STATIC;
  return {
    native: "u64",
    toC: (value, where) => argument.handleOrNull(value, wrapper, where),
    fromC: (address: bigint) => address === 0n ? null : borrowed(wrapper, address, fallback(address)),
    zero: 0n,
  };
}

/** A struct by value. */
export function structSlot(
  wrapper: (new (bytes: Uint8Array<ArrayBuffer>) => Struct) & { readonly native: readonly unknown[]; readonly size: number },
): Slot {
  return {
    native: { struct: wrapper.native } as Deno.NativeType,
    toC: (value, where) => argument.struct(value, wrapper, where),
    fromC: (bytes: Uint8Array) => new wrapper(new Uint8Array(bytes)),
    get zero() {
      return new Uint8Array(wrapper.size);
    },
  };
}
