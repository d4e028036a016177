/**
 * Arguments: from what a TypeScript caller passes to what Deno's FFI takes, or an error that names the function and the parameter.
 *
 * Each generated function calls one of these a parameter. They are small so that V8 inlines them: together they cost about a nanosecond.
 * `where` is always `function(parameter)`.
 *
 * @module
 */

import { cstring, encode } from "./cstring.ts";
import { describe } from "./describe.ts";
import type { Domain } from "./domain.ts";
import { addressOf, externalBuffer, freedError, Handle, wrongHandle } from "./handle.ts";
import { toInt64 } from "./integers.ts";
import { STATIC } from "./owner.ts";
import { Pointer } from "./pointer.ts";

/**
 * What a pointer parameter to numbers takes: a typed array of that width, memory as bytes, or a pointer. One to `void` takes any typed array and
 * any handle. A pointer or handle is taken as it is: nobody knows how much it points to.
 */
export type Data<Typed extends ArrayBufferView = ArrayBufferView> =
  | Typed
  | Uint8Array
  | DataView
  | ArrayBuffer
  | (ArrayBufferView extends Typed ? Handle : Pointer)
  | Deno.PointerObject;

/** A class of handles. */
// deno-lint-ignore no-explicit-any
type HandleClass = abstract new (...args: any[]) => Handle;

/** The address of a handle of the given class. */
export function handle(value: Handle, expected: HandleClass, where: string): bigint {
  if (!(value instanceof expected) || value.owner.freed) throw wrongHandle(value, expected, where);
  return value.address;
}

/** The address of a handle of the given class, 0n for null. */
export function handleOrNull(value: Handle | null, expected: HandleClass, where: string): bigint {
  return value === null ? 0n : handle(value, expected, where);
}

/** The bytes of a struct that is passed by value. */
export function struct(
  value: Handle & { readonly bytes: Uint8Array<ArrayBuffer> },
  expected: HandleClass,
  where: string,
): Uint8Array<ArrayBuffer> {
  if (!(value instanceof expected)) throw wrongHandle(value, expected, where);
  return value.bytes;
}

/** A signed integer of at most 32 bits. */
export function int32(value: number, where: string): number {
  if (typeof value !== "number" || (value | 0) !== value) throw notInteger(value, "an int32", where);
  return value | 0; // -0 is 0 too, but not to Deno
}

/** An unsigned integer of 32 bits. */
export function uint32(value: number, where: string): number {
  if (typeof value !== "number" || (value >>> 0) !== value) throw notInteger(value, "a uint32", where);
  return value >>> 0;
}

/** A signed integer of 8 or 16 bits. */
export function small(value: number, bits: number, where: string): number {
  if (typeof value !== "number" || (value << (32 - bits) >> (32 - bits)) !== value) throw notInteger(value, `an int${bits}`, where);
  return value | 0;
}

/** An unsigned integer of 8 or 16 bits. */
export function smallUnsigned(value: number, bits: number, where: string): number {
  if (typeof value !== "number" || (value << (32 - bits) >>> (32 - bits)) !== value) throw notInteger(value, `a uint${bits}`, where);
  return value >>> 0;
}

/** A signed integer of 64 bits. */
export function int64(value: number | bigint, where: string): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) return toInt64(value);
  if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) return value;
  throw notInteger(value, "an int64", where);
}

/** An unsigned integer of 64 bits. */
export function uint64(value: number | bigint, where: string): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return toInt64(value);
  if (typeof value === "bigint" && BigInt.asUintN(64, value) === value) return value;
  throw notInteger(value, "a uint64", where);
}

/** A value of an enum. */
export function enumerator(value: number, domain: Domain, where: string): number {
  return typeof value === "number" && domain.table[value - domain.min] === 1 ? value : domain.check(value, where);
}

/** A `bool`. */
export function bool(value: boolean, where: string): boolean {
  if (typeof value !== "boolean") throw new TypeError(`${where}: expected a boolean, got ${describe(value)}`);
  return value;
}

/** A `float` or `double`. */
export function float(value: number, where: string): number {
  if (typeof value !== "number") throw new TypeError(`${where}: expected a number, got ${describe(value)}`);
  return value;
}

/** A `const char *`. */
export { cstring as string };

/** A `const char *` that may be null. */
export function stringOrNull(value: string | null, slot: number, where: string): Uint8Array<ArrayBuffer> | null {
  return value === null ? null : cstring(value, slot, where);
}

/** A `const char *` whose length C is told: a string, or bytes that needn't end with a NUL. */
export function text(value: string | Data<Uint8Array>, slot: number, where: string): ArrayBufferView<ArrayBuffer> | ArrayBuffer {
  return typeof value === "object" && value !== null ? data(value, 1, where) : cstring(value, slot, where);
}

/** A `const char *` whose length C is told, which may be null. */
export function textOrNull(
  value: string | Data<Uint8Array> | null,
  slot: number,
  where: string,
): ArrayBufferView<ArrayBuffer> | ArrayBuffer | null {
  return value === null ? null : text(value, slot, where);
}

/** The text for a printf-like function's format: C prints it as it is. */
export function format(value: string, slot: number, where: string): Uint8Array<ArrayBuffer> {
  return cstring(typeof value === "string" ? value.replaceAll("%", "%%") : value, slot, where);
}

/**
 * Memory that C reads or writes.
 *
 * @param width The bytes of an element as C declares it; 0 for `void`, which takes anything.
 */
export function data(value: Data, width: number, where: string): ArrayBufferView<ArrayBuffer> | ArrayBuffer {
  if (width !== 0) expectWidth(value, width, where);
  if (ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer) return value as ArrayBufferView<ArrayBuffer>;
  if (value instanceof ArrayBuffer) return value;
  if (value instanceof Handle) {
    if (value.owner.freed) throw freedError(value, where);
    // Deno takes only its address. Nobody else sees it, so it needs no owner.
    return externalBuffer(value.address, 1, STATIC);
  }
  if (isPointerObject(value)) return Deno.UnsafePointerView.getArrayBuffer(value, 1);
  throw wrong(value, "a typed array, an ArrayBuffer, a handle or a Deno pointer", where);
}

/** Throws for what isn't memory of elements of a width: another typed array than one of bytes, the handle of an object. */
export function expectWidth(value: unknown, width: number, where: string): void {
  if (ArrayBuffer.isView(value)) {
    const bytes = elementBytes(value);
    if (bytes !== width && bytes !== 1) throw wrong(value, `memory with elements of ${width} bytes`, where);
  } else if (value instanceof Handle && !(value instanceof Pointer)) {
    throw wrong(value, `a typed array with elements of ${width} bytes, an ArrayBuffer or a pointer`, where);
  }
}

/** Memory that C reads or writes, which may be null. */
export function dataOrNull(value: Data | null, width: number, where: string): ArrayBufferView<ArrayBuffer> | ArrayBuffer | null {
  return value === null ? null : data(value, width, where);
}

/** What a parameter `T **` takes: an array that C reads, or memory of 64-bit addresses that C may write. */
export type Pointers<Item> = readonly (Item | null)[] | Data<BigUint64Array>;

/**
 * Pointers to handles of a class, one after the other.
 *
 * @param holes Whether one of them may be null.
 */
export function pointers(
  value: Pointers<Handle>,
  expected: HandleClass,
  holes: boolean,
  where: string,
): ArrayBufferView<ArrayBuffer> | ArrayBuffer {
  if (!Array.isArray(value)) return data(value as Data<BigUint64Array>, 8, where);
  const addresses = new BigUint64Array(value.length);
  for (let i = 0; i < value.length; i++) {
    const item = value[i];
    if (item !== null || !holes) addresses[i] = handle(item, expected, `${where}[${i}]`);
  }
  return addresses;
}

/** Pointers to handles, or null. */
export function pointersOrNull(
  value: Pointers<Handle> | null,
  expected: HandleClass,
  holes: boolean,
  where: string,
): ArrayBufferView<ArrayBuffer> | ArrayBuffer | null {
  return value === null ? null : pointers(value, expected, holes, where);
}

/**
 * Pointers to strings, one after the other. They live as long as what this returns.
 *
 * @param holes Whether one of them may be null.
 */
export function strings(value: Pointers<string>, holes: boolean, where: string): ArrayBufferView<ArrayBuffer> | ArrayBuffer {
  if (!Array.isArray(value)) return data(value as Data<BigUint64Array>, 8, where);
  const addresses = new BigUint64Array(value.length);
  const kept: Uint8Array[] = [];
  for (let i = 0; i < value.length; i++) {
    const item = value[i];
    if (item === null && holes) continue;
    if (typeof item !== "string") throw wrong(item, "a string", `${where}[${i}]`);
    const bytes = encode(item, `${where}[${i}]`);
    kept.push(bytes);
    addresses[i] = addressOf(bytes);
  }
  if (kept.length > 0) argumentStrings.set(addresses, kept);
  return addresses;
}

/** Pointers to strings, or null. */
export function stringsOrNull(
  value: Pointers<string> | null,
  holes: boolean,
  where: string,
): ArrayBufferView<ArrayBuffer> | ArrayBuffer | null {
  return value === null ? null : strings(value, holes, where);
}

/** The strings that an array of pointers points to, alive as long as it is. */
const argumentStrings = new WeakMap<BigUint64Array, Uint8Array[]>();

function elementBytes(view: ArrayBufferView): number {
  return "BYTES_PER_ELEMENT" in view ? view.BYTES_PER_ELEMENT as number : 1;
}

/** Deno's pointers are objects without a prototype. */
function isPointerObject(value: unknown): value is Deno.PointerObject {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null;
}

function wrong(value: unknown, expected: string, where: string): TypeError {
  return new TypeError(`${where}: expected ${/^[a-z]+ /.test(expected) ? expected : `a ${expected}`}, got ${describe(value)}`);
}

function notInteger(value: unknown, expected: string, where: string): TypeError | RangeError {
  const inexact = expected.endsWith("64") && Number.isInteger(value) && !Number.isSafeInteger(value);
  const hint = inexact ? ", beyond 2^53, where numbers aren't exact: give a bigint" : "";
  const message = `${where}: expected ${expected}, got ${describe(value)}${hint}`;
  return typeof value === "number" || typeof value === "bigint" ? new RangeError(message) : new TypeError(message);
}
